import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { needs, TOOLS } from "../../support/clients.js";
import { extent } from "../../support/extent.js";
import { freePort } from "../../support/free-port.js";
import { sha256, testBytes } from "../../support/server.js";
import { serverFixture } from "../../support/server-fixture.js";
import { ExternalProcess, run, temporaryFolder } from "../../support/tools.js";
import { echoed } from "./echo.js";
import { ProgramServer } from "./program-server.js";
import { SSH_LOGIN, SshForwards, type SshName } from "./ssh-forwards.js";

const host = "127.0.0.1";
const data = testBytes(300_000);

/** The part of an editor that runs on the server: it echoes, tells its port, and is gone after a minute at the latest. */
const EDITOR = `
const server = require("net").createServer({ allowHalfOpen: true }, (socket) => socket.on("error", () => {}).pipe(socket));
server.listen(0, "127.0.0.1", () => console.log("listening on " + server.address().port));
setTimeout(() => process.exit(), 60_000);
`;

/** Starts it in the background, as both editors do, and tells its port between two marks. */
const startEditor = (mark: string) => `
mark=${mark}
echo "$mark: running"
uname -s -m
"${process.execPath}" editor.cjs > "$mark.log" 2>&1 < /dev/null &
editor=$!
until grep -q listening "$mark.log"; do kill -0 $editor || exit 1; sleep 0.02; done
echo "$mark: start"
echo "port==$(sed 's/.* //' "$mark.log")=="
echo "$mark: end"
`;

describe("remote development", needs("ssh", "ssh10"), () => {
  const folder = temporaryFolder();
  const server = new ProgramServer(folder);
  const fixture = serverFixture({ server, clientAliveInterval: 1 });

  async function ssh(client: SshName, ...words: string[]) {
    const { program, parameters, environment } = await fixture.clients.openssh(client, fixture.server, SSH_LOGIN);
    return { program, parameters: [...parameters, ...words], environment };
  }

  const portIn = (output: string): number => Number(/port==(\d+)==/.exec(output)?.[1]);

  /** One window: a shell whose input is a script, beside it a proxy through which all connections go. */
  async function openWindow(client: SshName, mark: string) {
    const proxy = await freePort();
    const options = ["-T", "-D", `${proxy}`, "-o", "ServerAliveInterval=1"];
    const { program, parameters, environment } = await ssh(client, ...options, host, "bash");
    const shell = new ExternalProcess(program, parameters, { environment });
    shell.stdin.write(startEditor(mark));
    await shell.untilOutput(`${mark}: end`);
    const port = portIn(shell.output);
    const connections = await Promise.all([1, 2, 3].map(() => throughSocks(proxy, port)));
    return { shell, connections };
  }

  it("as VS Code does it: a script for a shell without terminal, then -D; two windows, long idle", async () => {
    await writeFile(join(folder, "editor.cjs"), EDITOR);
    const windows = await Promise.all([openWindow("ssh", "one"), openWindow("ssh10", "two")]);
    const sockets = windows.flatMap(({ connections }) => connections);
    await Promise.all(sockets.map((socket) => ping(socket, "before")));
    // Nothing comes but signs of life, for which both sides ask each second.
    const signs = new Set<number | undefined>();
    const waitForSigns = () => {
      signs.add(server.lastLogin?.bytesReceived);
      expect(signs.size).toBeGreaterThan(extent(2, 30));
    };
    await vi.waitFor(waitForSigns, { timeout: 60_000, interval: 50 });
    await Promise.all(sockets.map((socket) => ping(socket, "after")));
    for (const { shell } of windows) {
      shell.stdin.end("kill $editor\n");
      expect(await shell.finished).toMatchObject({ code: 0 });
    }
  });

  it("as JetBrains Gateway does it: commands, a script sent by SFTP, then -L", needs("sftp"), async () => {
    const exec = async (command: string, input?: Uint8Array) => {
      const { program, parameters, environment } = await ssh("ssh", host, command);
      return run(program, parameters, { environment, ...(input && { input }) });
    };
    expect((await exec("uname -sm")).stdout.toString()).toMatch(/^Linux \w+\n$/);
    await writeFile(join(folder, "here.sh"), `#!/bin/bash\n${startEditor("gateway")}\ncat\nkill $editor\n`);
    const { parameters, environment } = await ssh("ssh");
    const [, sshPort = "", , user, ...options] = parameters;
    const upload = Buffer.from(`put ${join(folder, "here.sh")} start.sh\nchmod 700 start.sh\n`);
    const sftp = ["-q", "-b", "-", "-P", sshPort, ...options, `${user}@${host}`];
    expect(await run(TOOLS.sftp, sftp, { environment, input: upload })).toMatchObject({ code: 0 });

    const starting = await ssh("ssh", "-T", host, "bash -l");
    using shell = new ExternalProcess(starting.program, starting.parameters, { environment });
    shell.stdin.write("exec ./start.sh\n");
    await shell.untilOutput("gateway: end");
    using forward = await SshForwards.start(fixture, "ssh", folder, [
      ...["-L", `${join(folder, "gateway")}:${host}:${portIn(shell.output)}`, "-R", `0:${host}:1`],
    ]);
    const echoes = await Promise.all([1, 2, 3].map(() => echoed({ path: join(folder, "gateway") }, data)));
    expect(echoes.map(sha256)).toEqual(Array(3).fill(sha256(data)));
    await forward.end();
    shell.stdin.end();
    expect(await shell.finished).toMatchObject({ code: 0 });
  });
});

/** A connection through a SOCKS 5 proxy (RFC 1928), to a loopback port behind it. */
async function throughSocks(proxy: number, port: number): Promise<Socket> {
  const socket = connect(proxy, host);
  socket.write(Buffer.of(5, 1, 0));
  expect((await once(socket, "data"))[0]).toEqual(Buffer.of(5, 0));
  socket.write(Buffer.of(5, 1, 0, 1, 127, 0, 0, 1, port >> 8, port & 0xff));
  expect((await once(socket, "data"))[0].subarray(0, 2)).toEqual(Buffer.of(5, 0));
  return socket;
}

async function ping(socket: Socket, text: string): Promise<void> {
  socket.write(text);
  expect(String((await once(socket, "data"))[0])).toBe(text);
}
