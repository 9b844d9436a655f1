// Runs one command with the ssh2 package: stdin to the command, its output and exit status to ours.
// The only argument is a JSON object: port, user, knownHosts, command and optionally password, newPassword, key, answers,
// compression, signal (sent once the command has put out its first bytes).
import { readFileSync } from "node:fs";
import ssh2 from "ssh2";

const options = JSON.parse(process.argv[2]);
const knownHosts = readFileSync(options.knownHosts, "utf8");
const answers = [...(options.answers ?? [])];
const client = new ssh2.Client();

client
  .on("banner", (message) => process.stderr.write(message))
  .on("keyboard-interactive", (_name, _instructions, _language, prompts, finish) => {
    finish(answers.splice(0, prompts.length));
  })
  .on("change password", (message, done) => {
    process.stderr.write(`${message}\n`);
    done(options.newPassword);
  })
  .on("error", (error) => fail(error.message))
  .on("ready", () => client.exec(options.command, serve))
  .connect({
    host: "127.0.0.1",
    port: options.port,
    username: options.user,
    ...(options.password && { password: options.password }),
    ...(options.key && { privateKey: readFileSync(options.key) }),
    ...(options.compression && { algorithms: { compress: ["zlib@openssh.com"] } }),
    ...(options.key && options.password && { authHandler: ["publickey", "password"] }),
    tryKeyboard: options.answers !== undefined,
    hostVerifier: (key) => knownHosts.includes(key.toString("base64")),
  });

function serve(error, stream) {
  if (error) return fail(error.message);
  let [status, signal] = [255, undefined];
  if (options.signal) stream.once("data", () => stream.signal(options.signal));
  stream.on("exit", (code, name) => {
    status = code ?? 255;
    signal = name;
  });
  stream.on("close", () => {
    if (signal) process.stderr.write(`exit-signal ${signal}\n`);
    process.exitCode = status;
    client.end();
    process.stdin.destroy();
  });
  process.stdin.pipe(stream).pipe(process.stdout, { end: false });
  stream.stderr.pipe(process.stderr, { end: false });
}

function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exitCode = 254;
  client.end();
  process.stdin.destroy();
}
