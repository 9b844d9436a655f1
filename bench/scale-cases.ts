import type { ScaleCase } from "./cases.js";
import type { ContenderName } from "./servers/contender.js";

/** What a machine of 2 cores opens in half a minute. */
const mostChannels = 16_000;
/** sshd has two processes for each connection and two more for each channel. */
const mostChannelsOfSshd = 160;
/** Fewer take less memory in a server of Node.js than its own varies by. */
const fewestForMemory = 1_000;

export const scaleCases: readonly ScaleCase[] = [10, 100, 1_000].flatMap((connections) =>
  [1, 16, 64]
    .filter((channels) => connections * channels <= mostChannels)
    .map((channels) => scaleCase(connections, channels)),
);

export function takesPart(contender: ContenderName, { connections, channels }: ScaleCase): boolean {
  return contender !== "sshd" || connections * channels <= mostChannelsOfSshd;
}

/** Whether so many connections or channels show in a server's memory. */
export function showInMemory(contender: ContenderName, count: number): boolean {
  return contender === "sshd" || count >= fewestForMemory;
}

function scaleCase(connections: number, channels: number): ScaleCase {
  const name = `${connections.toLocaleString("en")} connections, ${channels} channel${channels === 1 ? "" : "s"} each`;
  return { kind: "scale", name, connections, channels, targets: {} };
}
