/** A question with answers to choose from, of which one is right. */
export interface Question {
  /** For people, and unique in its set: `anatomy_test.csv:12`, `noun.00001740`. */
  readonly id: string;
  /** What it is about: `anatomy`, `noun.animal`. */
  readonly subject: string;
  readonly text: string;
  readonly choices: readonly string[];
  /** The place of the right one. */
  readonly answer: number;
  /**
   * What the right choice goes on with as running text, where the question can be asked so: `poodle is a kind of`. A model that
   * only continues texts has never seen a list of choices.
   */
  readonly beginning?: string;
  /** The same without what is asked about, so that choices can be judged by what they gain by it: `It is a kind of`. */
  readonly premise?: string;
}
