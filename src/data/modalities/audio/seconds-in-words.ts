/** A length of audio, as messages have it. */
export function inWords(seconds: number): string {
  return seconds >= 600 ? `${Math.round(seconds / 60)} minutes` : `${Number(seconds.toPrecision(3))} seconds`;
}
