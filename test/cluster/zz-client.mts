import { PacketClient } from "../support/packet-client.js";

const [port, count, width] = process.argv.slice(2).map(Number) as [number, number, number];
let left = count;
const one = async () => {
  while (left-- > 0) {
    const c = await PacketClient.login(port, "a", "b");
    await c.exec("x");
    await c.close();
  }
};
await Promise.all(Array.from({ length: width }, one));
