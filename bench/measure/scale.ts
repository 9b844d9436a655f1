import type { ScaleCase } from "../cases.js";
import { startLoad } from "../load.js";
import type { Contender } from "../servers/contender.js";
import type { Workspace } from "../workspace.js";

export interface ScaleCost {
  /** CPU of one connection with its login. */
  readonly connectSeconds: number;
  readonly connectionKiB: number;
  /** Of one open channel whose command waits; sshd's with the command. */
  readonly channelKiB: number;
  /** CPU of what passed through all channels together. */
  readonly transferSeconds: number;
}

/** Connections that are there before, at least, and have done what is measured: Node.js has compiled it by then. */
const fewestEarlier = 50;
const warmUpPart = 4;

/**
 * What connections, channels and bytes cost a server that has many of them. The server must be a fresh one: memory freed
 * by earlier work would be used again.
 *
 * @param bytes through all channels together, about
 * @param programsFolder where the compiled programs are
 */
export async function measureScale(
  contender: Contender,
  workspace: Workspace,
  { connections, channels }: ScaleCase,
  bytes: number,
  programsFolder: string,
): Promise<ScaleCost> {
  const load = startLoad(programsFolder, {
    port: contender.port,
    username: workspace.username,
    privateKeyFile: workspace.userKeyFile,
    keyExchange: "curve25519-sha256",
    cipher: "aes128-gcm@openssh.com",
  });
  try {
    if (contender.name !== "sshd") {
      // As many as are measured: the first ones make V8's young generation grow, by more than they take themselves.
      const earlier = Math.max(fewestEarlier, connections);
      await load.order({ kind: "connect", connections: earlier });
      const each = Math.ceil(bytes / warmUpPart / earlier);
      await load.order({ kind: "open", channels: 1, command: contender.laterOutputCommand(each) });
      await load.order({ kind: "transfer", bytes: each * earlier });
    }
    const memoryAtFirst = await contender.memoryKiB();
    const cpuAtFirst = await contender.runningCpuSeconds();
    await load.order({ kind: "connect", connections });
    const cpuConnected = await contender.runningCpuSeconds();
    const memoryConnected = await contender.memoryKiB();
    const each = Math.ceil(bytes / connections / channels);
    await load.order({ kind: "open", channels, command: contender.laterOutputCommand(each) });
    const memoryOpen = await contender.memoryKiB();
    const cpuOpen = await contender.runningCpuSeconds();
    const moved = each * connections * channels;
    await load.order({ kind: "transfer", bytes: moved });
    const cpuMoved = await contender.runningCpuSeconds();
    return {
      connectSeconds: (cpuConnected - cpuAtFirst) / connections,
      connectionKiB: (memoryConnected - memoryAtFirst) / connections,
      channelKiB: (memoryOpen - memoryConnected) / connections / channels,
      transferSeconds: (cpuMoved - cpuOpen) * (bytes / moved),
    };
  } finally {
    await load.stop();
  }
}
