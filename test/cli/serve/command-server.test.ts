import { pino } from "pino";
import { expect, it } from "vitest";
import { CommandServer } from "../../../src/cli/serve/command-server.js";
import { ServedFolder } from "../../../src/cli/serve/served-folder.js";
import { Users } from "../../../src/cli/serve/users.js";
import { AUTH_SUCCESSFUL, MessageNumber } from "../../../src/protocol/constants.js";
import { PacketType } from "../../../src/sftp/codec/constants.js";
import { startManager } from "../../server/test-server.js";
import { PacketClient } from "../../support/packet-client.js";
import { execRequest } from "../../support/packet-messages.js";
import { SFTPChannel } from "../../support/sftp-channel.js";
import { init, NO_ATTRIBUTES, request } from "../../support/sftp-packets.js";

const HOSTILE = "a\n\x1b[2J\u202eb";
const ESCAPED = "a\\u{a}\\u{1b}[2J\\u{202e}b";
/** More than of a name: the end of a path or a command tells as much as its beginning. */
const LONG = "x".repeat(1000);

async function start() {
  const lines: Record<string, unknown>[] = [];
  const logger = pino({ base: null }, { write: (line) => void lines.push(JSON.parse(line)) });
  const users = new Users({ passwords: async () => AUTH_SUCCESSFUL });
  const folder = ServedFolder.inMemory(logger);
  const manager = await startManager({ serverInterface: new CommandServer({ users, logger, folder }) });
  return { lines, client: await PacketClient.login(manager.port, HOSTILE, "any") };
}

it("the log of commands has a line for each, with the names in it escaped", async () => {
  const { lines, client } = await start();
  await client.exec(`${HOSTILE}${LONG}`);
  const { id } = await client.openSession();
  client.sendPacket(execRequest(id, `scp -t '/${HOSTILE}'`));
  await client.expect(MessageNumber.CHANNEL_SUCCESS);
  expect(lines).toMatchObject([
    { msg: "command", user: ESCAPED, command: `${ESCAPED}${LONG}` },
    { msg: "scp sink", user: ESCAPED, paths: [`/${ESCAPED}`] },
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
    { msg: "mkdir", user: ESCAPED, path: `/${ESCAPED}` },
    { msg: "rename", user: ESCAPED, path: `/${ESCAPED}`, newPath: `/${ESCAPED}${LONG.slice(0, 200)}` },
    { msg: "symlink", user: ESCAPED, path: "/link", target: `${ESCAPED}${LONG}` },
  ]);
});
