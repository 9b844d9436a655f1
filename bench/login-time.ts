import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { PKey } from "../src/crypto/index.js";
import { MessageNumber } from "../src/protocol/constants.js";
import { PacketClient } from "../test/support/packet-client.js";
import { passwordRequest, publickeyQuery } from "../test/support/packet-messages.js";
import { compareSamples } from "./mann-whitney.js";

/**
 * `npm run login-time`: can somebody who tries to log in tell by the time of the answer whether a user exists? Wrong
 * passwords, and keys that nobody knows, for a user and for unknown names, in random order, against a server in a process
 * of its own; with the delay of failures and without it.
 */

const HELP = `Usage: npm run login-time -- [--tries <n>]

Compares how long a server takes to refuse a user and a name that is none's, by password and by key.

  --tries <n>   tries of each of the two, 1000 by default
  --help        this text

The statistic: U of Mann and Whitney, as the share of pairs in which the user took longer (0.5: no difference), with its
p-value on both sides. Equal means p > 0.01.
`;

/** Tries on one connection; the server allows 100. */
const TRIES_PER_CONNECTION = 50;

const KNOWN = "ann";

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { tries: { type: "string", default: "1000" }, help: { type: "boolean" } } });
  if (values.help) {
    process.stdout.write(HELP);
    return;
  }
  const tries = Number(values.tries);
  if (!Number.isInteger(tries) || tries < 10) throw new TypeError("--tries is a number, 10 at least");
  let different = 0;
  for (const delay of [0, 1]) {
    const { server, port } = await startServer(delay);
    try {
      for (const [method, request] of Object.entries(REQUESTS)) {
        // A delayed password takes a second: a tenth of them shows whether the delay brings a difference in.
        const isSlow = delay > 0 && method === "password";
        const { known, unknown } = await measure(port, isSlow ? Math.ceil(tries / 10) : tries, request);
        const { share, p } = compareSamples(known, unknown);
        if (p <= 0.01) different++;
        const medians = [known, unknown].map((sample) => `${median(sample).toFixed(3)} ms`).join(" and ");
        process.stdout.write(
          `${method}, delay ${delay} s, ${known.length} tries each: medians ${medians}, ` +
            `share ${share.toFixed(3)}, p ${p.toFixed(3)}: ${p > 0.01 ? "equal" : "DIFFERENT"}\n`,
        );
      }
    } finally {
      server.kill();
    }
  }
  process.exitCode = different === 0 ? 0 : 1;
}

const stranger = PKey.generate({ keyType: "ed25519" });

const REQUESTS: Readonly<Record<string, (username: string) => Buffer>> = {
  password: (username) => passwordRequest(username, "wrong"),
  publickey: (username) => publickeyQuery({ username, algorithm: "ssh-ed25519", publicBlob: stranger.publicBlob }),
};

/** Milliseconds of each try. */
async function measure(port: number, tries: number, request: (username: string) => Buffer) {
  const known: number[] = [];
  const unknown: number[] = [];
  while (known.length + unknown.length < 2 * tries) {
    const client = await PacketClient.authenticating(port);
    await answerTime(client, request("warming-up"));
    for (let attempt = 0; attempt < TRIES_PER_CONNECTION && known.length + unknown.length < 2 * tries; attempt++) {
      const isKnown = unknown.length >= tries || (known.length < tries && Math.random() < 0.5);
      // Names of the same length, each unknown one another.
      const name = isKnown
        ? KNOWN
        : Math.random()
            .toString(36)
            .slice(2, 2 + KNOWN.length)
            .padEnd(KNOWN.length, "x");
      (isKnown ? known : unknown).push(await answerTime(client, request(name)));
    }
    await client.close();
  }
  return { known, unknown };
}

async function answerTime(client: PacketClient, request: Buffer): Promise<number> {
  const started = performance.now();
  const answer = await client.authenticate(request);
  const time = performance.now() - started;
  if (answer[0] !== MessageNumber.USERAUTH_FAILURE) throw new Error(`answered by message ${answer[0]}`);
  return time;
}

function median(sample: readonly number[]): number {
  return sample.toSorted((one, other) => one - other)[Math.floor(sample.length / 2)] ?? Number.NaN;
}

async function startServer(delay: number): Promise<{ server: ChildProcess; port: number }> {
  const program = fileURLToPath(new URL("./servers/login-time-server.ts", import.meta.url));
  const server = fork(program, [KNOWN, `${delay}`], { execArgv: process.execArgv });
  const [port] = await once(server, "message");
  return { server, port: Number(port) };
}

await main();
