import { readFileSync } from 'node:fs';

/** The most that this process held since the last time it was told; Linux. */
export class HeldMemory {
  #own = 0;
  #mapped = 0;

  look(): void {
    const status = readFileSync('/proc/self/status', 'utf8');
    const of = (name: string) => 1024 * Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1] ?? 0);
    this.#own = Math.max(this.#own, of('RssAnon'));
    this.#mapped = Math.max(this.#mapped, of('RssFile'));
  }

  tell(what: string): void {
    this.look();
    const [own, mapped] = [this.#own, this.#mapped].map((bytes) => Math.round(bytes / 1e6));
    console.log(`${what}: holds ${own} MB, maps ${mapped} MB`);
    this.#own = 0;
    this.#mapped = 0;
  }
}
