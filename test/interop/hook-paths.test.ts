import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { Readable } from "node:stream";
import { finished, pipeline } from "node:stream/promises";
import { setTimeout as passed } from "node:timers/promises";
import { beforeAll, describe, expect, it } from "vitest";
import type { Channel } from "../../src/index.js";
import { type ExecClientName, needs } from "../support/clients.js";
import { isLong } from "../support/extent.js";
import { GuideServer, sha256, testBytes } from "../support/server.js";
import { serverFixture } from "../support/server-fixture.js";
import { ExternalProcess, temporaryFolder } from "../support/tools.js";

const MB = 1_000_000;
const SIZES = isLong ? [MB, 50 * MB] : [MB];

type Path = (channel: Channel, output: Buffer) => Promise<unknown>;

const chunks = (output: Buffer) =>
  Readable.from(
    (function* () {
      for (let start = 0; start < output.length; start += 10_000) yield output.subarray(start, start + 10_000);
    })(),
  );

/** The code that people write for a program whose output is longer than what a channel takes at once. */
const PATHS: Readonly<Record<string, Path>> = {
  await: async (channel, output) => {
    for await (const chunk of chunks(output)) if (!channel.write(chunk)) await once(channel, "drain");
    channel.end();
  },
  end: async (channel, output) => {
    channel.end(output);
    await finished(channel, { readable: false });
  },
  pipe: async (channel, output) => once(chunks(output).pipe(channel), "finish"),
  pipeline: (channel, output) => pipeline(chunks(output), channel),
  read: async (channel, output) => {
    const input: Buffer[] = [];
    for await (const chunk of channel) input.push(chunk);
    channel.end(sha256(Buffer.concat(input)) === sha256(output) ? output : "the input has changed");
  },
};

/** How a hook tells the exit status of its program. */
const STATUSES = { none: 0, seven: 7, late: 7 } as const;

class PathServer extends GuideServer {
  override async checkChannelExecRequest(channel: Channel, command: Buffer): Promise<boolean> {
    const [name = "", size, status] = command.toString().split(" ");
    if (name === "child") {
      const child = spawn("sh", ["-c", `head -c ${size} /dev/zero; exit 7`], { stdio: ["ignore", "pipe", "inherit"] });
      child.stdout.pipe(channel);
      child.on("close", (code) => channel.sendExitStatus(code));
      return true;
    }
    await PATHS[name]?.(channel, testBytes(Number(size)));
    if (status === "seven") channel.sendExitStatus(STATUSES.seven);
    if (status === "late") void passed(200).then(() => channel.sendExitStatus(STATUSES.late));
    return true;
  }
}

const CLIENTS: readonly (ExecClientName | "ssh through a master")[] = [
  "ssh",
  "ssh through a master",
  "plink",
  "paramiko",
  "ssh2",
];
/** In the short run each of them with one client: every other with `ssh`, and the rest is shared out among the others. */
function triedPaths(client: (typeof CLIENTS)[number]): [path: string, status: string, code: number][] {
  const all = Object.keys(PATHS).flatMap((path) =>
    Object.entries(STATUSES).map(([status, code]): [string, string, number] => [path, status, code]),
  );
  const others = CLIENTS.filter((one) => one !== "ssh");
  const clientOf = (index: number) => (index % 2 === 0 ? "ssh" : others[((index - 1) / 2) % others.length]);
  return all.filter((_, index) => isLong || clientOf(index) === client);
}

const LOGIN = { user: "admin", keyType: "ed25519" } as const;

describe("a hook that runs its program where it is asked", () => {
  const fixture = serverFixture({ server: new PathServer() });
  const folder = temporaryFolder();

  for (const name of CLIENTS) {
    const client = name === "ssh through a master" ? "ssh" : name;
    const socket = join(folder, "master");

    // At the same time, for without a status the end of a program comes a second later.
    describe.concurrent(`with ${name}`, needs(client), () => {
      const options: string[] = [];

      async function exec(command: string, input: Uint8Array = new Uint8Array()) {
        const { code, stdout, stderr } = await fixture.exec(client, { login: LOGIN, command, input, options });
        return { code, stdout: sha256(stdout), length: stdout.length, stderr };
      }

      if (name !== client)
        beforeAll(async () => {
          const { program, parameters, environment } = await fixture.clients.openssh("ssh", fixture.server, LOGIN);
          const ready = ["-o", "PermitLocalCommand=yes", "-o", "LocalCommand=echo ready"];
          const master = new ExternalProcess(
            program,
            [...parameters, ...ready, "-M", "-S", socket, "-N", "127.0.0.1"],
            {
              environment,
              timeout: 600_000,
            },
          );
          await master.untilOutput("ready");
          options.push("-S", socket);
        });

      for (const size of SIZES) {
        const output = testBytes(size);
        const whole = { stdout: sha256(output), length: size };

        it.each(triedPaths(name))(`${size} bytes by %s, status %s: %i`, async (path, status, code) => {
          const result = await exec(`${path} ${size} ${status}`, path === "read" ? output : undefined);
          expect(result, result.stderr).toMatchObject({ code, ...whole });
        });

        if (isLong || name === "ssh")
          it(`${size} bytes by a child's stdout, with its code`, async () => {
            expect(await exec(`child ${size}`)).toMatchObject({ code: 7, length: size });
          });
      }
    });
  }
});
