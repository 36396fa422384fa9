/**
 * A pipeline tag of Hugging Face: what a recipe that names it reads and answers where it does not say so itself. An entry of
 * the registry (`index.ts`).
 */
export interface TaskKind {
  readonly kind: string;
  readonly description: string;
  /** The modality of each input, by name. */
  readonly inputs: Readonly<Record<string, string>>;
  /** The target of each output, by name; the first is the main one. */
  readonly outputs: Readonly<Record<string, string>>;
}
