"""Forwards with paramiko what it is asked to: README.md beside this file tells what that is, and how it answers."""

import sys
import threading

import paramiko
from paramiko.agent import AgentRequestHandler


def connect(port, user, known_hosts, password):
    transport = paramiko.Transport(("127.0.0.1", int(port)))
    transport.start_client(timeout=20)
    key = transport.get_remote_server_key()
    if not paramiko.HostKeys(known_hosts).check("[127.0.0.1]:" + port, key):
        raise SystemExit("host key of type %s is not the known one" % key.get_name())
    transport.auth_password(user, password)
    return transport


def echo(channel):
    while data := channel.recv(32768):
        channel.sendall(data)
    channel.shutdown_write()
    channel.close()


def start_echo(channel, *_):
    threading.Thread(target=echo, args=(channel,), daemon=True).start()


class Requests:
    def __init__(self, transport):
        self.transport = transport
        self.agents = []

    def connect(self, host, port, source, got):
        channel = self.transport.open_channel("direct-tcpip", (host, int(port)), ("127.0.0.1", 0))
        with open(source, "rb") as file:
            channel.sendall(file.read())
        channel.shutdown_write()
        with open(got, "wb") as file:
            while data := channel.recv(32768):
                file.write(data)
        channel.close()

    def listen(self, address, port, _):
        return self.transport.request_port_forward(address, int(port), start_echo)

    def cancel(self, address, port):
        self.transport.cancel_port_forward(address, int(port))

    def session(self):
        channel = self.transport.open_session()
        # It closes the connections to the agent when it is collected.
        self.agents.append(AgentRequestHandler(channel))
        channel.request_x11(handler=start_echo)
        channel.exec_command("use")
        with channel.makefile("rb") as output:
            return output.read().decode()


def main():
    transport = connect(*sys.argv[1:])
    requests = Requests(transport)
    for line in sys.stdin:
        name, *words = line.rstrip("\n").split("\t")
        try:
            value = getattr(requests, name)(*words)
            answer = "done\t%s" % ("" if value is None else value)
        except (paramiko.SSHException, EOFError) as error:
            answer = "error\t%s" % error
        print(answer, flush=True)
    transport.close()


main()
