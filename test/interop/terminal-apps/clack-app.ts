import { confirm, intro, isCancel, outro, select, text } from "@clack/prompts";
import type { Session } from "../../../src/index.js";
import { terminalOf } from "./terminal-of.js";

export async function clackApp(session: Session): Promise<number> {
  const { input, output } = terminalOf(session);
  const common = { input, output, signal: session.signal };
  intro("deploy", common);
  const name = await text({ message: "What is its name?", ...common });
  if (isCancel(name)) return 2;
  const options = ["red", "green", "blue"].map((value) => ({ value }));
  const colour = await select({ message: "Which colour?", options, ...common });
  if (isCancel(colour)) return 3;
  const sure = await confirm({ message: "Sure?", ...common });
  outro(`${name} is ${colour}: ${String(sure)}`, common);
  return 0;
}
