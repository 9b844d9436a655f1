import type { Channel } from "../../../src/index.js";
import { GuideServer } from "../../support/server.js";

/** Lets every client forward its agent. */
export class AgentServer extends GuideServer {
  /** The channels whose clients have asked for it. */
  readonly channels: Channel[] = [];

  override checkChannelForwardAgentRequest(channel: Channel): boolean {
    this.channels.push(channel);
    return true;
  }
}
