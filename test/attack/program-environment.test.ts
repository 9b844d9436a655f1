import { createServer as createTcpServer } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { AUTH_SUCCESSFUL } from "../../src/index.js";
import { Writer } from "../../src/protocol/writer.js";
import { ProgramServer } from "../process/program-server.js";
import { createManager, PASSWORD, USERNAME } from "../server/test-server.js";
import { sessionFixture } from "../session/session-fixture.js";
import { PacketClient } from "../support/packet-client.js";
import { channelRequest } from "../support/packet-messages.js";

describe("the environment of a program", () => {
  const letIn = () => AUTH_SUCCESSFUL;
  const forced = sessionFixture({
    authentication: { none: letIn, password: letIn, permissions: { forceCommand: "forced" } },
  });

  it("never lacks the command that the client has asked for: a program is not started where that is not UTF-8", async () => {
    forced.handle((session) => session.run(["sh", "-c", 'echo "[$SSH_ORIGINAL_COMMAND]"']));
    expect(await forced.exec("asked")).toMatchObject({ status: 0, stdout: "[asked]\n" });
    const client = await PacketClient.login(forced.server.port, "ann", "any");
    onTestFinished(() => client.close());
    const channel = await client.openSession();
    const command = new Writer().writeString(Buffer.from([0x61, 0xff])).toBuffer();
    client.sendPacket(channelRequest(channel.id, "exec", "no-reply", command));
    const { stdout, stderr, exitStatus } = await client.readProgram(channel);
    expect({ stdout: stdout.toString(), stderr: stderr.toString(), exitStatus }).toEqual({
      stdout: "",
      stderr: "the command cannot be run\n",
      exitStatus: 126,
    });
    expect(await forced.logged("warn", "a program could not be started")).toMatchObject({
      fields: { err: { message: expect.stringContaining("not UTF-8") } },
    });
  });

  it.each([
    [
      { remoteAddress: "203.0.113.7", remotePort: 5, localAddress: "192.0.2.1", localPort: 22 },
      "203.0.113.7 5 192.0.2.1 22",
    ],
    [{ remoteAddress: "203.0.113.7", localAddress: "192.0.2.1" }, ""],
    [{ remoteAddress: "203.0.113.7 5 192.0.2.9", remotePort: 5, localAddress: "192.0.2.1", localPort: 22 }, ""],
    [{ remoteAddress: "a\0b", remotePort: 5, localAddress: "192.0.2.1", localPort: 22 }, ""],
  ])("tells the connection only where all of it is known and plain: %o", async (info, expected) => {
    const manager = createManager({ serverInterface: new ProgramServer({}, (text) => ["sh", "-c", text]) });
    await manager.startServer();
    const listener = createTcpServer((socket) => void manager.handleConnection(socket, info));
    const port = await new Promise<number>((resolve) => {
      listener.listen(0, "127.0.0.1", () => resolve((listener.address() as { port: number }).port));
    });
    onTestFinished(() => void listener.close());
    const client = await PacketClient.login(port, USERNAME, PASSWORD);
    onTestFinished(() => client.close());
    expect((await client.exec('printf %s "$SSH_CONNECTION"')).stdout.toString()).toBe(expected);
  });
});
