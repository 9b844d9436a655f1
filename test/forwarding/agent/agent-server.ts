import { Agent } from "../../../src/forwarding/agent/agent.js";
import { type AnyChannel, Channel } from "../../../src/index.js";
import { GuideServer } from "../../support/server.js";

/** Lets every client forward its agent. */
export class AgentServer extends GuideServer {
  /** The channels whose clients have asked for it. */
  readonly channels: Channel[] = [];

  override checkUnknownChannelRequest(channel: AnyChannel, kind: string): boolean {
    if (kind !== "auth-agent-req@openssh.com" || !(channel instanceof Channel)) return false;
    channel.agent = new Agent(channel);
    this.channels.push(channel);
    return true;
  }
}
