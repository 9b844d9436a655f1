import { PacketClient } from "../test/support/packet-client.js";

// Somebody who only wants to log in: once each second, in a process that has nothing else to do. Sends the milliseconds
// that each login took, a command included, or -1 where it failed.

const port = Number(process.argv[2]);

async function visit(): Promise<number> {
  const started = performance.now();
  const client = await PacketClient.login(port, "user", "secret");
  const { exitStatus } = await client.exec("hello");
  const took = performance.now() - started;
  await client.close();
  return exitStatus === 0 ? took : -1;
}

setInterval(() => {
  void visit().then(
    (took) => process.send?.(took),
    () => process.send?.(-1),
  );
}, 1000);
process.on("disconnect", () => process.exit());
