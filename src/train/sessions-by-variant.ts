import type { Session } from '../engine/engine.ts';

/** Sessions for the sizes that a graph is compiled for, made when their first batch comes: one that never comes costs nothing. */
export class SessionsByVariant<Variant = string> {
  readonly #load: (variant: Variant) => Promise<Session>;
  readonly #nameOf: (variant: Variant) => string;
  readonly #sessions = new Map<string, Session>();

  /** @param nameOf variants with equal names share a session; the variant itself by default */
  constructor(load: (variant: Variant) => Promise<Session>, nameOf: (variant: Variant) => string = String) {
    this.#load = load;
    this.#nameOf = nameOf;
  }

  async get(variant: Variant): Promise<Session> {
    const name = this.#nameOf(variant);
    let session = this.#sessions.get(name);
    if (!session) {
      session = await this.#load(variant);
      this.#sessions.set(name, session);
    }
    return session;
  }

  async release(): Promise<void> {
    for (const session of this.#sessions.values()) await session.release();
  }
}
