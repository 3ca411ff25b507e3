"""A client with python-socketio, controlled line by line from the test.

Each line of standard input is a command in JSON, and each line of standard output is its answer. All frames of the
server are kept in order.
"""
import json
import sys
import threading

import requests
import socketio

url = sys.argv[1]
state = {"client": None, "refusal": None, "connected": False}
frames = []
heard = threading.Condition()


def tell(name, value):
    with heard:
        state[name] = value
        heard.notify_all()


def connect(auth, transports):
    client = socketio.Client(reconnection=False)

    @client.on("*")
    def any_frame(event, payload=None):
        with heard:
            frames.append([event, payload])
            heard.notify_all()

    @client.event
    def connect_error(data):
        tell("refusal", data)

    @client.event
    def connect():
        tell("connected", True)

    state.update(client=client, refusal=None, connected=False)
    frames.clear()
    # `wait=True` would disconnect after a rejected handshake, and over polling that may block until the next ping
    # (python-engineio 4: the write loop can end before it has sent the close packet that the read loop waits for).
    client.connect(url, auth=auth, transports=transports, wait=False)
    with heard:
        heard.wait_for(lambda: state["connected"] or state["refusal"], timeout=10)
    return {"connected": True} if state["connected"] else {"connected": False, "refusal": state["refusal"]}


def wait_for(event, count):
    """Waits until there are so many frames of this name, and returns them."""
    def found():
        return [payload for name, payload in frames if name == event]

    with heard:
        heard.wait_for(lambda: len(found()) >= count, timeout=10)
        return found()


def hear(body):
    """Waits for the entry with this text, and returns it."""
    def found():
        entries = (entry for name, payload in frames if name == "entries" for entry in payload["entries"])
        return next((entry for entry in entries if entry.get("body") == body), None)

    with heard:
        heard.wait_for(found, timeout=10)
        return found()


def post(path, body, token):
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    answer = requests.post(url + path, json=body, headers=headers, timeout=10)
    return {"status": answer.status_code, "body": answer.json()}


def disconnect():
    state["client"].disconnect()
    return {}


commands = {
    "post": lambda c: post(c["path"], c["body"], c.get("token")),
    "connect": lambda c: connect(c["auth"], c["transports"]),
    "call": lambda c: state["client"].call(c["event"], c["payload"], timeout=10),
    "wait": lambda c: wait_for(c["event"], c["count"]),
    "hear": lambda c: hear(c["body"]),
    "disconnect": lambda c: disconnect(),
}

for line in sys.stdin:
    command = json.loads(line)
    print(json.dumps(commands[command["do"]](command)), flush=True)
