import type { FileSurvey } from '../../data/survey/survey-file.ts';
import type { Answers } from './draft.ts';

/** What a person's data propose for a recipe, and what was seen, a line each. */
export interface Proposal {
  source: Answers['source'];
  /** The task, where the source alone does not say it. */
  task?: Answers['task'];
  /** `key.path=value` for settings that depend on the data. */
  set: string[];
  seen: string[];
  survey: Pick<FileSurvey, 'columns' | 'choice'>;
}
