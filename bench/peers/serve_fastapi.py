# Entries over HTTP, as one writes it with FastAPI and the asynchronous redis-py: an XADD a POST, a batch of NDJSON as
# one pipeline. Run by uvicorn; REDIS_PORT in the environment.
import json
import os

from fastapi import FastAPI, Request
from redis.asyncio import Redis

app = FastAPI()
redis = Redis(host="127.0.0.1", port=int(os.environ["REDIS_PORT"]), decode_responses=True)


def fields_of(line):
    return {
        name: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        for name, value in json.loads(line).items()
    }


@app.post("/streams/{stream}", status_code=201)
async def add(stream: str, request: Request):
    body = await request.body()
    if request.headers["content-type"] == "application/json":
        return {"id": await redis.xadd(stream, fields_of(body))}
    async with redis.pipeline(transaction=False) as pipeline:
        for line in body.splitlines():
            pipeline.xadd(stream, fields_of(line))
        return {"ids": await pipeline.execute()}
