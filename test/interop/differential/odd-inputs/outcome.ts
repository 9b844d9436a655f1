import { MessageNumber as M } from "../../../../src/protocol/constants.js";
import { PacketType, StatusCode } from "../../../../src/sftp/codec/constants.js";
import { StreamEnded } from "../../../support/packet-socket.js";
import { Disconnected } from "../../../support/packet-transport.js";
import type { Reply } from "../../../support/sftp-packets.js";
import type { OddInput, Outcome } from "./odd-input.js";
import { type ComparedServer, Peer, ServerDisconnected } from "./peer.js";
import { goOn, isProbe, PROBE, reach } from "./stages.js";

/** Sends the odd input to a server and finds out what becomes of it. */
export async function outcomeOf(input: OddInput, server: ComparedServer): Promise<string> {
  const peer = await Peer.connect(server, input.options);
  try {
    await reach(peer, input.stage);
    await input.prepare?.(peer);
    peer.forget();
    peer.mayClose = input.closes ?? false;
    return await sendAndObserve(input, peer);
  } catch (error) {
    throw new Error(`${input.name}, on port ${server.port}`, { cause: error });
  } finally {
    peer.client.reset();
  }
}

async function sendAndObserve(input: OddInput, peer: Peer): Promise<string> {
  const { socket } = peer.client.stream;
  // A client that writes to a connection that has ended may lose the DISCONNECT: all goes out at once.
  socket.cork();
  try {
    input.send(peer);
    const done = goOn(peer, input.next ?? input.stage);
    socket.uncork();
    await done;
  } catch (error) {
    if (error instanceof Disconnected || error instanceof ServerDisconnected) return "ends";
    if (error instanceof StreamEnded) return "hangs up";
    throw error;
  }
  const outcomes = [...answersIn(peer), ...(losesData(input, peer) ? ["loses the data"] : [])];
  return outcomes.length === 0 ? "goes on" : [...new Set(outcomes)].sort().join(", ");
}

function answersIn(peer: Peer): Outcome[] {
  const replies = peer.sftpReplies.filter((reply) => !isProbe(reply)).map(meaningOfReply);
  return [...replies, ...peer.answers.flatMap((payload) => meanings.get(payload[0] ?? -1) ?? [])];
}

const meanings: ReadonlyMap<number, Outcome> = new Map([
  ...[M.SERVICE_ACCEPT, M.USERAUTH_SUCCESS, M.USERAUTH_INFO_REQUEST, M.REQUEST_SUCCESS].map(meaning("accepted")),
  ...[M.CHANNEL_OPEN_CONFIRMATION, M.CHANNEL_SUCCESS, M.PONG].map(meaning("accepted")),
  ...[M.USERAUTH_FAILURE, M.REQUEST_FAILURE, M.CHANNEL_OPEN_FAILURE, M.CHANNEL_FAILURE].map(meaning("refused")),
  meaning("unimplemented")(M.UNIMPLEMENTED),
  meaning("ends the channel")(M.CHANNEL_CLOSE),
]);

function meaning(outcome: Outcome): (number: number) => [number, Outcome] {
  return (number) => [number, outcome];
}

function meaningOfReply(reply: Reply): Outcome {
  return reply.type === PacketType.STATUS && reply.body.readUInt32BE() !== StatusCode.OK ? "refused" : "accepted";
}

function losesData({ echo }: OddInput, { output }: Peer): boolean {
  return echo !== undefined && output.length !== echo + PROBE.length;
}
