import { percent } from '../../percent.ts';
import { artifact } from '../context/artifact.ts';
import { WRITTEN_COST } from '../planning/costs.ts';
import type { Written, WrittenStatistics } from '../writing/written-texts.ts';
import { DATA } from './data.ts';
import { stage } from './stage.ts';
import { TEACHER } from './teacher.ts';

export const WRITTEN = artifact<Written>('written');

/** Lets the teacher write texts, which become training documents. */
export const writeStage = stage({
  name: 'write',
  about: 'the teacher writes texts, to be taught like documents',
  needs: { data: DATA, teacher: TEACHER },
  makes: WRITTEN,
  applies: ({ data }) => data.written !== undefined,
  isExtra: true,
  title: () => 'Let the teacher write texts',
  async run(run, { data }) {
    const options = run.recipe.data.written;
    if (!options) throw new Error('a recipe without written texts');
    // Loaded where it is used: pages do not pay for it.
    const { writtenByTeacher } = await import('../writing/written-texts.ts');
    const value = await writtenByTeacher(run, data, options);
    const { statistics, fresh } = value;
    // For the report.
    run.folder.finish('write', statistics satisfies WrittenStatistics);
    const { written, documents, ended, empty } = statistics;
    if (empty > 0.5)
      run.warn(
        `${percent(empty)} of the texts that the teacher wrote end at once: beginnings of ${options.promptTokens} tokens may be whole texts to it (data.written.promptTokens)`,
      );
    return {
      value,
      summary:
        `${written.texts} texts, ${written.texts - fresh} of them were in the store; ${written.tokens.toFixed(1)} tokens on average` +
        ` (the documents have ${documents.tokens.toFixed(1)} there), ${percent(written.repetition)} repeated (${percent(documents.repetition)}), ${percent(ended)} came to an end`,
    };
  },
  async plan(context, costs) {
    const { planWriting } = await import('../planning/write-stage.ts');
    const { plan, cost } = await planWriting(context);
    costs.set(WRITTEN_COST, cost);
    return plan;
  },
});
