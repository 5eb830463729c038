# A stream as a new group, as NDJSON to standard output, as one writes it with redis-py: read a batch, write it,
# acknowledge it.
#   consume-redis-py.py PORT STREAM GROUP BATCH
import json
import sys

import redis

port, stream, group, batch = sys.argv[1:]
client = redis.Redis(host="127.0.0.1", port=int(port), decode_responses=True)
client.xgroup_create(stream, group, id="0")
while True:
    reply = client.xreadgroup(group, "w1", {stream: ">"}, count=int(batch))
    if not reply:
        break
    entries = reply[0][1]
    for id, fields in entries:
        record = {"stream": stream, "id": id, "fields": fields, "group": group, "consumer": "w1", "deliveries": 1}
        sys.stdout.write(json.dumps(record, ensure_ascii=False, separators=(",", ":")) + "\n")
    sys.stdout.flush()
    client.xack(stream, group, *[id for id, _ in entries])
