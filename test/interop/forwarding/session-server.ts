import type { Channel } from "../../../src/index.js";
import { connectToDisplay, setupMessage } from "../../forwarding/x11/x-client.js";
import { testBytes } from "../../support/server.js";
import { ForwardingServer } from "./forwarding-server.js";

const X11_DATA = testBytes(100 * 1024);

/**
 * Uses what the client forwards with a session, and puts out what came of it: the command `use` ends then, `use-and-stay`
 * with its input.
 */
export class SessionServer extends ForwardingServer {
  override checkChannelExecRequest(channel: Channel, command: Buffer): true {
    this.#use(channel, `${command}` === "use-and-stay").catch((error) => {
      channel.send(`${error}`);
      channel.close();
    });
    return true;
  }

  async #use(channel: Channel, stays: boolean): Promise<void> {
    channel.send(`${await signers(channel)} ${await throughDisplay(channel)}`);
    if (stays) for await (const _ of channel);
    channel.sendExitStatus(0);
    channel.close();
  }
}

/** @returns the fingerprints of the keys in the client's agent, all of which have signed */
async function signers({ agent }: Channel): Promise<string> {
  if (agent === undefined) return "no agent,";
  const data = Buffer.from("in the user's name");
  const signed = (await agent.list()).map(async (key) =>
    key.publicKey?.verify(data, await key.sign(data)) ? key.publicKey.fingerprint() : "wrong",
  );
  return `agent ${(await Promise.all(signed)).join(" ")},`;
}

/** Plays an X client, to which the client's display gives back what it gets. */
async function throughDisplay({ x11 }: Channel): Promise<string> {
  if (x11 === undefined) return "no display";
  const socket = await connectToDisplay((await x11.listen()).display);
  socket.write(setupMessage(x11.authProtocol, Buffer.from(`${x11.authCookie}`, "hex")));
  let received = Buffer.alloc(0);
  for await (const piece of socket) {
    // As X clients do, which AsyncSSH counts on: nothing more until the setup is answered.
    if (received.length === 0) socket.write(X11_DATA);
    received = Buffer.concat([received, piece]);
    // The client may have put another cookie into the setup.
    if (received.subarray(-X11_DATA.length).equals(X11_DATA)) return "display";
  }
  return `${received.length} bytes from the display`;
}
