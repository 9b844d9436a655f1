// Forwards with the ssh2 package what it is asked to: README.md beside this file tells what that is, and how it answers.
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { buffer, text } from "node:stream/consumers";
import { promisify } from "node:util";
import ssh2 from "ssh2";

const [port, username, knownHostsFile, password] = process.argv.slice(2);
const knownHosts = readFileSync(knownHostsFile, "utf8");
const client = new ssh2.Client();
const call = (method, ...parameters) => promisify(client[method]).call(client, ...parameters);

const echo = (accept) => {
  const stream = accept();
  stream.pipe(stream);
};
client.on("tcp connection", (_details, accept) => echo(accept));
client.on("unix connection", (_details, accept) => echo(accept));
client.on("x11", (_details, accept) => echo(accept));
client.connect({
  host: "127.0.0.1",
  port: Number(port),
  username,
  password,
  agent: process.env.SSH_AUTH_SOCK,
  agentForward: true,
  // It asks for sockets no server but one that calls itself OpenSSH, unless it is told to.
  strictVendor: false,
  hostVerifier: (key) => knownHosts.includes(key.toString("base64")),
});
await once(client, "ready");

async function exchange(stream, source, got) {
  stream.end(await readFile(source));
  await writeFile(got, await buffer(stream));
}

const requests = {
  connect: async (host, target, source, got) =>
    exchange(await call("forwardOut", "127.0.0.1", 0, host, Number(target)), source, got),
  "connect-socket": async (path, source, got) =>
    exchange(await call("openssh_forwardOutStreamLocal", path), source, got),
  listen: (address, target) => call("forwardIn", address, Number(target)),
  cancel: (address, target) => call("unforwardIn", address, Number(target)),
  "listen-socket": (path) => call("openssh_forwardInStreamLocal", path),
  "cancel-socket": (path) => call("openssh_unforwardInStreamLocal", path),
  session: async () => text(await call("exec", "use", { x11: true })),
};

for await (const line of createInterface({ input: process.stdin })) {
  const [name, ...words] = line.split("\t");
  try {
    process.stdout.write(`done\t${(await requests[name](...words)) ?? ""}\n`);
  } catch (error) {
    process.stdout.write(`error\t${error.message}\n`);
  }
}
client.end();
