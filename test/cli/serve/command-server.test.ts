import { pino } from "pino";
import { afterEach, expect, it, vi } from "vitest";
import { CommandServer, type CommandServerOptions } from "../../../src/cli/serve/command-server.js";
import { declareForwarding } from "../../../src/cli/serve/forwarding.js";
import { Programs } from "../../../src/cli/serve/programs.js";
import { ServedFolder } from "../../../src/cli/serve/served-folder.js";
import { Users } from "../../../src/cli/serve/users.js";
import type { SSHServerManagerOptions } from "../../../src/index.js";
import {
  AUTH_SUCCESSFUL,
  MessageNumber,
  OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED,
} from "../../../src/protocol/constants.js";
import { Writer } from "../../../src/protocol/writer.js";
import { PacketType } from "../../../src/sftp/codec/constants.js";
import { startManager } from "../../server/test-server.js";
import { PacketClient } from "../../support/packet-client.js";
import {
  channelOpen,
  channelRequest,
  execRequest,
  globalRequest,
  readOpenFailure,
} from "../../support/packet-messages.js";
import { SFTPChannel } from "../../support/sftp-channel.js";
import { init, NO_ATTRIBUTES, request } from "../../support/sftp-packets.js";

const HOSTILE = "a\n\x1b[2J\u202eb";
const ESCAPED = "a\\u{a}\\u{1b}[2J\\u{202e}b";
/** More than of a name: the end of a path or a command tells as much as its beginning. */
const LONG = "x".repeat(1000);

afterEach(() => void vi.unstubAllEnvs());

async function start(
  options: Partial<CommandServerOptions> = {},
  managerOptions: Partial<SSHServerManagerOptions> = {},
) {
  const lines: Record<string, unknown>[] = [];
  const logger = pino({ base: null }, { write: (line) => void lines.push(JSON.parse(line)) });
  const users = new Users({ passwords: async () => AUTH_SUCCESSFUL });
  const folder = ServedFolder.inMemory(logger);
  const serverInterface = new CommandServer({ users, logger, folder, ...options });
  const manager = await startManager({ serverInterface, ...managerOptions });
  return { lines, client: await PacketClient.login(manager.port, HOSTILE, "any") };
}

it("the log of commands has a line for each, with the names in it escaped", async () => {
  const { lines, client } = await start();
  await client.exec(`${HOSTILE}${LONG}`);
  const { id } = await client.openSession();
  client.sendPacket(execRequest(id, `scp -t '/${HOSTILE}'`));
  await client.expect(MessageNumber.CHANNEL_SUCCESS);
  expect(lines).toMatchObject([
    { msg: "command", username: ESCAPED, command: `${ESCAPED}${LONG}` },
    { msg: "scp sink", username: ESCAPED, paths: [`/${ESCAPED}`] },
  ]);
});

it("so has the log of files", async () => {
  const { lines, client } = await start();
  const sftp = await SFTPChannel.open(client, 1024 * 1024);
  const requests = [
    request(PacketType.MKDIR, 1, `/${HOSTILE}`, NO_ATTRIBUTES),
    request(PacketType.RENAME, 2, `/${HOSTILE}`, `/${HOSTILE}${LONG.slice(0, 200)}`),
    request(PacketType.SYMLINK, 3, `${HOSTILE}${LONG}`, "/link"),
  ];
  await sftp.send(Buffer.concat([init(), ...requests]));
  await sftp.receive(1 + requests.length);
  expect(lines.slice(1)).toMatchObject([
    { msg: "makeDirectory", username: ESCAPED, path: `/${ESCAPED}` },
    { msg: "rename", username: ESCAPED, path: `/${ESCAPED}`, newPath: `/${ESCAPED}${LONG.slice(0, 200)}` },
    { msg: "symlink", username: ESCAPED, path: "/link", target: `${ESCAPED}${LONG}` },
  ]);
});

it("nothing is forwarded unless it is declared", async () => {
  const { client } = await start();
  const fields = new Writer().writeString("127.0.0.1").writeUint32(22).writeString("").writeUint32(0).toBuffer();
  client.sendPacket(Buffer.concat([channelOpen({ kind: "direct-tcpip" }), fields]));
  const { reason } = readOpenFailure(await client.expect(MessageNumber.CHANNEL_OPEN_FAILURE));
  expect(reason).toBe(OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED);
  const listen = new Writer().writeString("localhost").writeUint32(0).toBuffer();
  client.sendPacket(globalRequest("tcpip-forward", "want-reply", listen));
  await client.expect(MessageNumber.REQUEST_FAILURE);
});

it("a program runs without the client's agent where its socket cannot be made", async () => {
  vi.stubEnv("TMPDIR", "/missing");
  const lines: Record<string, unknown>[] = [];
  const logger = pino({ base: null }, { write: (line) => void lines.push(JSON.parse(line)) });
  const programs = new Programs({ commands: true, shells: false, logger });
  const forwarding = declareForwarding({ agent: true, x11: false });
  const { client } = await start({ programs, forwarding }, { logger });
  const channel = await client.openSession();
  client.sendPacket(channelRequest(channel.id, "auth-agent-req@openssh.com", "want-reply"));
  await client.expect(MessageNumber.CHANNEL_SUCCESS);
  client.sendPacket(execRequest(channel.id, 'echo "agent:$SSH_AUTH_SOCK"'));
  await client.expect(MessageNumber.CHANNEL_SUCCESS);
  expect((await client.readProgram(channel)).stdout.toString()).toBe("agent:\n");
  const warnings = lines.filter(({ level }) => level === pino.levels.values.warn);
  expect(warnings).toMatchObject([
    {
      channel: expect.any(Number),
      msg: "a program runs without the client's agent or display",
      err: { type: "AgentError" },
    },
  ]);
});
