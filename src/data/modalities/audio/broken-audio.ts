import { BrokenValue } from '../../broken-value.ts';

/** The row of audio that cannot be used is broken; `problem` is a sentence for people. */
export function brokenAudio(problem: string): BrokenValue {
  return new BrokenValue('audio', problem);
}
