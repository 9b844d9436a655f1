import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

// A long path on loopback, as a process of its own: `delaying-relay.js PORT DELAY` passes bytes on to the port and back,
// each after so many milliseconds, as many at once as come.

/** Most bytes on the way in one direction; more wait at the sender, as on a path of 1.3 GB/s and 50 ms. */
const mostOnTheWay = 64 * 1024 * 1024;

const [port = Number.NaN, delay = Number.NaN] = process.argv.slice(2).map(Number);

const server = createServer({ allowHalfOpen: true, noDelay: true }, (near) => {
  const far = connect({ host: "127.0.0.1", port, allowHalfOpen: true, noDelay: true });
  relay(near, far);
  relay(far, near);
});

/** Passes on what comes from one side, and that nothing more will come. */
function relay(from: Socket, to: Socket): void {
  const waiting: { readonly due: number; readonly data: Buffer | "end" }[] = [];
  let bytes = 0;
  let timer: NodeJS.Timeout | undefined;

  const sendDue = () => {
    clearTimeout(timer);
    timer = undefined;
    const now = performance.now();
    let first = waiting[0];
    while (first !== undefined && first.due <= now && !to.writableNeedDrain) {
      waiting.shift();
      if (first.data === "end") to.end();
      else {
        bytes -= first.data.length;
        to.write(first.data);
      }
      first = waiting[0];
    }
    if (bytes < mostOnTheWay) from.resume();
    if (first !== undefined && !to.writableNeedDrain) timer = setTimeout(sendDue, first.due - now);
  };
  const add = (data: Buffer | "end") => {
    waiting.push({ due: performance.now() + delay, data });
    timer ??= setTimeout(sendDue, delay);
  };
  from.on("data", (data) => {
    bytes += data.length;
    if (bytes >= mostOnTheWay) from.pause();
    add(data);
  });
  from.on("end", () => add("end"));
  to.on("drain", sendDue);
  from.on("error", () => to.destroy());
}

server.listen(0, "127.0.0.1");
await once(server, "listening");
process.on("disconnect", () => process.exit(0));
process.send?.((server.address() as AddressInfo).port);
