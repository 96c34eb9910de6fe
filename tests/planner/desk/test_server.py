import asyncio
import gc
import logging

from tornado.iostream import StreamClosedError
from tornado.websocket import WebSocketClosedError

from planner.desk import serve
from tests.planner.maps.hamlet import hamlet


def test_whoever_leaves_while_something_is_on_its_way_is_no_fault(caplog):
    serve(hamlet(), port=0, start=False, job_runners=0).stop()

    async def failing(wrong):
        raise wrong

    async def run():
        for wrong in (WebSocketClosedError(), StreamClosedError(), KeyError("ours")):
            task = asyncio.ensure_future(failing(wrong))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            del task
            gc.collect()

    with caplog.at_level(logging.ERROR, "asyncio"):
        asyncio.run(run())
    told = [record.exc_info[0] for record in caplog.records if record.name == "asyncio"]
    assert told == [StreamClosedError, KeyError]
