import { once } from "node:events";
import { connect, type Socket } from "node:net";

/** The first message of an X client ("Connection Setup" of the X protocol). */
export function setupMessage(protocol: string, data: Buffer, order: "B" | "l" = "l"): Buffer {
  const head = Buffer.alloc(12);
  head.write(order);
  const write = (value: number, offset: number) =>
    order === "B" ? head.writeUInt16BE(value, offset) : head.writeUInt16LE(value, offset);
  write(11, 2);
  write(protocol.length, 6);
  write(data.length, 8);
  return Buffer.concat([head, padded(Buffer.from(protocol)), padded(data)]);
}

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc(-bytes.length & 3)]);
}

/** Connects to a display, as its value of DISPLAY has it. What the socket suffers is for those who listen for it. */
export async function connectToDisplay(display: string, host = "127.0.0.1"): Promise<Socket> {
  const socket = connect(portOfDisplay(display), host);
  await once(socket, "connect");
  return socket.on("error", () => {});
}

export function portOfDisplay(display: string): number {
  const [, number] = /^localhost:(\d+)\.\d+$/.exec(display) ?? [];
  if (number === undefined) throw new Error(`${display} is not on localhost`);
  return 6000 + Number(number);
}
