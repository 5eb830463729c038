# NDJSON from standard input into a stream, as one writes it with redis-py: a pipeline of 1,000 at a time.
#   produce-redis-py.py PORT STREAM
import json
import sys

import redis

port, stream = sys.argv[1:]
client = redis.Redis(host="127.0.0.1", port=int(port))
pipeline = client.pipeline(transaction=False)
for line in sys.stdin.buffer:
    event = json.loads(line)
    fields = {
        name: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        for name, value in event.items()
    }
    pipeline.xadd(stream, fields)
    if len(pipeline) == 1000:
        pipeline.execute()
pipeline.execute()
