import { Box, render, Text, useApp, useInput, useStdout } from "ink";
import { createElement, useEffect, useState } from "react";
import type { TerminalSession } from "./terminal-server.js";

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

export async function inkApp({ terminal, signal }: TerminalSession): Promise<void> {
  const { input: stdin, output: stdout } = terminal;
  const app = render(createElement(Counter), { stdin, stdout, stderr: stdout, patchConsole: false });
  signal.addEventListener("abort", () => app.unmount());
  await app.waitUntilExit();
  stdout.write("left\n");
}
