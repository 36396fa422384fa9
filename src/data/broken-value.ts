import { wholeSentence } from '../whole-sentence.ts';
import type { BrokenReason } from './sample.ts';

/** A value that a modality or a target cannot use: its row is broken, and the run goes on. */
export class BrokenValue extends Error {
  readonly reason: BrokenReason;

  /** @param problem a sentence for people, without the row's place: `the image has no pixels` */
  constructor(reason: BrokenReason, problem: string) {
    super(wholeSentence(problem));
    this.name = 'BrokenValue';
    this.reason = reason;
  }
}
