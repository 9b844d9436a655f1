import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";

// What servers connect to, as a process of its own: `forward-target.js BYTES` has a port that writes so many bytes to
// everyone, and one that reads to the end and then says how many bytes there were.

const bytes = Number(process.argv[2]);
const chunk = Buffer.alloc(64 * 1024);

function write(socket: Socket): void {
  let rest = bytes;
  const writeMore = () => {
    while (rest > 0) {
      const part = chunk.subarray(0, rest);
      rest -= part.length;
      if (!socket.write(part)) {
        socket.once("drain", writeMore);
        return;
      }
    }
    socket.end();
  };
  socket.resume();
  writeMore();
}

function read(socket: Socket): void {
  let count = 0;
  socket.on("data", (data) => {
    count += data.length;
  });
  socket.on("end", () => socket.end(`${count}\n`));
}

async function listen(serve: (socket: Socket) => void): Promise<number> {
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    socket.on("error", () => {}); // A server that was stopped.
    serve(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

process.on("disconnect", () => process.exit(0));
process.send?.({ output: await listen(write), input: await listen(read) });
