/** Milliseconds that a test may take: more on a machine that does other things (`TEST_PATIENCE=10 npm test`). */
export function patience(seconds: number): number {
  return seconds * 1000 * Number(process.env.TEST_PATIENCE ?? 1);
}
