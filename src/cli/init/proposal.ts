import type { FileSurvey } from '../../data/survey/survey-file.ts';
import type { Answers } from './draft.ts';

/** What a person's data propose for a recipe, and what was seen, a line each. */
export interface Proposal {
  source: Answers['source'];
  /** The task, where the source alone does not say it. */
  task?: Answers['task'];
  /** Who teaches and who is taught, where the usual ones do not fit. */
  teacher?: string;
  student?: string;
  /** `key.path=value` for settings that depend on the data. */
  set: string[];
  seen: string[];
  /** Of a table: what is asked about its columns. */
  survey?: FileSurvey;
}

/** What a person said besides naming the data. */
export interface Wishes {
  /** Who teaches; the proposal's own choice when absent. */
  readonly teacher?: string | undefined;
  /** Whether they say themselves what is answered (`--set data.source.labelField`, `--set outputs`). */
  readonly saysAnswer: boolean;
}
