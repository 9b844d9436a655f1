import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { describe, expect, it, vi } from "vitest";
import { type AnyChannel, type Channel, ChannelOpenError, type Connection } from "../../src/index.js";
import { Reader } from "../../src/protocol/reader.js";
import { Writer } from "../../src/protocol/writer.js";
import { needs, TOOLS, TRIED_SSHS } from "../support/clients.js";
import { ClientKeys } from "../support/clients-keys.js";
import { GuideServer, sha256 } from "../support/server.js";
import { serverFixture } from "../support/server-fixture.js";
import { ExternalProcess, runOk, temporaryFolder } from "../support/tools.js";

const LOGIN = { user: "admin", password: "secret" };

/** SSH_AGENTC_REQUEST_IDENTITIES and SSH_AGENT_IDENTITIES_ANSWER of the agent's protocol (draft-ietf-sshm-ssh-agent). */
const REQUEST_IDENTITIES = 11;
const IDENTITIES_ANSWER = 12;

/** Forwards ports to its clients, and asks for the keys of their agents. */
class ForwardingServer extends GuideServer {
  /** The port that the last client has the server listen on. */
  listening: number | undefined;
  agentOffered = false;

  override async checkPortForwardRequest(address: string, port: number, connection: Connection): Promise<number> {
    const listener = createServer({ allowHalfOpen: true }, (socket) => {
      forward(socket, address, connection).catch(() => socket.destroy());
    });
    connection.signal.addEventListener("abort", () => listener.close());
    listener.listen(port, "127.0.0.1");
    await once(listener, "listening");
    this.listening = (listener.address() as AddressInfo).port;
    return this.listening;
  }

  override checkChannelForwardAgentRequest(): boolean {
    this.agentOffered = true;
    return true;
  }

  override checkChannelExecRequest(channel: Channel, command: Buffer): true {
    answer(channel, `${command}`).then(
      (output) => end(channel, output),
      (error) => end(channel, String(error)),
    );
    return true;
  }
}

/** RFC 4254 §7.2. */
async function forward(socket: Socket, address: string, connection: Connection): Promise<void> {
  const fields = new Writer()
    .writeString(address)
    .writeUint32(socket.localPort ?? 0)
    .writeString(socket.remoteAddress ?? "")
    .writeUint32(socket.remotePort ?? 0);
  const channel = await connection.openChannel("forwarded-tcpip", fields.toBuffer());
  socket.pipe(channel).pipe(socket);
  channel.on("end", () => channel.close());
}

async function answer(channel: Channel, command: string): Promise<string> {
  const { connection } = channel;
  switch (command) {
    case "agent":
      return agentKeys(await connection.openChannel("auth-agent@openssh.com"));
    case "channels nobody asked for": {
      const kinds = ["auth-agent@openssh.com", "forwarded-tcpip", "x11", "session", "no-such-type"];
      const fields = new Writer().writeString("localhost").writeUint32(1).writeString("::1").writeUint32(1).toBuffer();
      const openings = kinds.map((kind) =>
        connection.openChannel(kind, kind === "forwarded-tcpip" ? fields : undefined),
      );
      const outcomes = await Promise.allSettled(openings);
      return outcomes.every(({ status }) => status === "rejected") ? outcomes.map(reasonOf).join(" ") : "opened";
    }
    default:
      // In order, each to what was asked.
      return (
        await Promise.all([
          connection.sendGlobalRequest("no-such-request@example.com"),
          connection.sendGlobalRequest("keepalive@openssh.com"),
          channel.sendRequest("no-such-request@example.com"),
        ])
      ).join(" ");
  }
}

const reasonOf = (outcome: PromiseSettledResult<unknown>): string => {
  const error: unknown = outcome.status === "rejected" ? outcome.reason : undefined;
  return error instanceof ChannelOpenError ? `${error.reason}` : String(error);
};

async function agentKeys(agent: AnyChannel): Promise<string> {
  agent.write(new Writer().writeString(Buffer.of(REQUEST_IDENTITIES)).toBuffer());
  let received = Buffer.alloc(0);
  for await (const chunk of agent) {
    received = Buffer.concat([received, chunk]);
    if (received.length >= 4 && received.length >= 4 + received.readUInt32BE()) break;
  }
  const reader = new Reader(received, 4);
  if (reader.readByte() !== IDENTITIES_ANSWER) throw new Error("not a list of keys");
  const keys = Array.from({ length: reader.readUint32() }, () => [reader.readString(), reader.readString()]);
  return keys.map(([blob]) => blob?.toString("base64")).join("\n");
}

function end(channel: Channel, output: string): void {
  channel.send(output);
  channel.sendExitStatus(0);
  channel.close();
}

for (const client of TRIED_SSHS) {
  describe(`channels that the server opens to ${client}`, needs(client), () => {
    const server = new ForwardingServer();
    const fixture = serverFixture({ server });
    const folder = temporaryFolder();
    const keys = new ClientKeys();

    it("lead to what listens on its side: ssh -R", async () => {
      const target = createServer({ allowHalfOpen: true }, (socket) => {
        const pieces: Buffer[] = [];
        socket.on("data", (piece) => pieces.push(piece));
        socket.on("end", () => socket.end(Buffer.concat(pieces).toString().toUpperCase()));
      }).listen(0, "127.0.0.1");
      await once(target, "listening");
      const { port } = target.address() as AddressInfo;
      const { program, parameters, environment } = await fixture.clients.openssh(client, fixture.server, LOGIN);
      const options = ["-N", "-o", "ExitOnForwardFailure=yes", "-R", `0:127.0.0.1:${port}`, "127.0.0.1"];
      using ssh = new ExternalProcess(program, [...parameters, ...options], { environment });
      await ssh.untilOutput("Allocated port");
      const asked = ["one ", "two ".repeat(500_000), ""];
      const answers = asked.map((sent) => {
        const socket = connect(server.listening ?? 0, "127.0.0.1");
        socket.end(sent);
        return text(socket);
      });
      const received = await Promise.all(answers);
      expect(received.map((answer) => sha256(Buffer.from(answer)))).toEqual(
        asked.map((sent) => sha256(Buffer.from(sent.toUpperCase()))),
      );
      await vi.waitFor(() => expect(server.lastLogin?.channelCount).toBe(0));
      target.close();
    });

    it("lead to its agent, where it has offered that: ssh -A", needs("ssh-agent", "ssh-add"), async () => {
      const socket = join(folder, `${client}.agent`);
      using agent = new ExternalProcess(TOOLS["ssh-agent"], ["-D", "-a", socket]);
      await agent.untilOutput("SSH_AUTH_SOCK");
      const key = await keys.openssh("ed25519");
      const environment = { SSH_AUTH_SOCK: socket };
      await runOk(TOOLS["ssh-add"], ["-q", key], { environment });
      const request = { login: LOGIN, command: "agent", options: ["-A"] };
      const ssh = await fixture.clients.commandLine(client, fixture.server, request);
      const output = await runOk(ssh.program, ssh.parameters, { environment: { ...ssh.environment, ...environment } });
      expect(server.agentOffered).toBe(true);
      expect(output).toBe((await readFile(`${key}.pub`, "utf8")).split(" ")[1]);
    });

    it("are refused where it has asked for none, each with its reason", async () => {
      const { stdout } = await fixture.exec(client, { login: LOGIN, command: "channels nobody asked for" });
      expect(stdout.toString()).toMatch(/^[1-4]( [1-4]){4}$/);
    });

    it("have their requests answered beside those of the connection", async () => {
      const { stdout } = await fixture.exec(client, { login: LOGIN, command: "requests" });
      expect(stdout.toString()).toBe("false false false");
    });
  });
}
