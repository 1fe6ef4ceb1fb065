"""Addresses to listen on."""

import socket

import httpx
import pytest
from sqlalchemy import Engine

from service.api.app import create_app
from service.cli import hosting
from service.cli.errors import AddressUnusable
from service.cli.errors import PortTaken
from tests.service.webhooks.test_couriers import until


class TestListen:
    def test_port_0_finds_a_free_one(self) -> None:
        with hosting.listen("127.0.0.1", 0) as listener:
            assert listener.getsockname()[1] > 0

    def test_a_taken_port_is_told_with_the_remedy(self) -> None:
        with hosting.listen("127.0.0.1", 0) as listener:
            port = listener.getsockname()[1]
            with pytest.raises(PortTaken, match=f"port {port} .*--port 0"):
                hosting.listen("127.0.0.1", port)

    def test_a_port_just_left_can_be_taken_again(self) -> None:
        with hosting.listen("127.0.0.1", 0) as listener:
            address = listener.getsockname()
            with socket.create_connection(address) as client:
                accepted, _ = listener.accept()
                accepted.close()
                client.recv(1)
        with hosting.listen(*address) as again:
            assert again.getsockname() == address

    @pytest.mark.parametrize("host", ["no.such.host.invalid", "203.0.113.1"])
    def test_a_host_that_is_not_ours_is_told(self, host: str) -> None:
        with pytest.raises(AddressUnusable, match="check --host"):
            hosting.listen(host, 0)


class TestApiThread:
    def test_no_answer_tells_what_serves_it(self, store: Engine) -> None:
        with hosting.listen("127.0.0.1", 0) as listener:
            host, port = listener.getsockname()
            api = hosting.ApiThread(create_app(store), listener, log_level="critical")
            api.start()
            for path in ("livez", "nothing", "docs"):
                answer = httpx.get(f"http://{host}:{port}/{path}", timeout=10)
                assert "server" not in answer.headers
                assert "uvicorn" not in answer.text
            api.ask_to_stop()
            assert until(api.gone)
