const HIDE_CURSOR = '\u001B[?25l';
const SHOW_CURSOR = '\u001B[?25h';
const CLEAR_LINE_REST = '\u001B[K';
const CLEAR_BELOW = '\u001B[J';

/**
 * The last lines of a terminal, redrawn in place. Each frame is one write that overwrites and then clears what is
 * left of the old one: a terminal never shows an empty frame between, so nothing flickers.
 */
export class LiveArea {
  readonly #write: (text: string) => void;
  #lines = 0;

  constructor(write: (text: string) => void) {
    this.#write = write;
  }

  /** Shows these lines, each narrower than the terminal, below `above`, lines that stay. */
  draw(lines: readonly string[], above: readonly string[] = []): void {
    const all = [...above, ...lines];
    if (all.length === 0 && this.#lines === 0) return;
    const up = this.#lines > 1 ? `\u001B[${this.#lines - 1}A` : '';
    // Whole `above` lines end with a newline; the live ones end at the last line, so that nothing scrolls.
    const body = all.map((line) => line + CLEAR_LINE_REST).join('\n');
    const newline = above.length > 0 && lines.length === 0 ? '\n' : '';
    this.#write(
      `${this.#lines === 0 ? HIDE_CURSOR : ''}\r${up}${body}${newline}${CLEAR_BELOW}${lines.length === 0 ? SHOW_CURSOR : ''}`,
    );
    this.#lines = lines.length;
  }

  /** Removes the live lines and gives the cursor back. */
  close(): void {
    if (this.#lines > 0) this.draw([]);
  }
}
