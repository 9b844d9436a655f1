import { Box, render, Text, useApp, useInput, useStdout } from "ink";
import { createElement, useEffect, useState } from "react";
import type { Session } from "../../../src/index.js";
import { terminalOf } from "./terminal-of.js";

/** A counter: + and - change it, q leaves; it follows the size of the window. */
function Counter() {
  const [count, setCount] = useState(0);
  const { stdout } = useStdout();
  const [size, setSize] = useState(`${stdout.columns}x${stdout.rows}`);
  const { exit } = useApp();
  useInput((input, key) => {
    if (input === "+" || key.upArrow) setCount((current) => current + 1);
    if (input === "-" || key.downArrow) setCount((current) => current - 1);
    if (input === "q") exit();
  });
  useEffect(() => {
    const resized = () => setSize(`${stdout.columns}x${stdout.rows}`);
    stdout.on("resize", resized);
    return () => {
      stdout.off("resize", resized);
    };
  }, [stdout]);
  const line = createElement(Text, { color: "green" }, `count ${count} on ${size}`);
  return createElement(Box, { borderStyle: "round" }, line);
}

export async function inkApp(session: Session): Promise<void> {
  const { input: stdin, output: stdout } = terminalOf(session);
  const app = render(createElement(Counter), { stdin, stdout, stderr: stdout, patchConsole: false });
  session.signal.addEventListener("abort", () => app.unmount());
  await app.waitUntilExit();
  stdout.write("left\n");
}
