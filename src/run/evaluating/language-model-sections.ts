import { type ReferenceResult, shortName } from '../../report/result.ts';
import type { Section } from '../../report/targets/section.ts';
import type { RunContext } from '../context/run-context.ts';
import type { TaskData } from '../context/task.ts';
import type { ComparedModels } from '../measuring/compared-models.ts';
import type { WrittenStatistics } from '../writing/written-texts.ts';

// What only reports of language models have is loaded where it is used: pages do not pay for it.

/** What language models are measured beside; nothing of others. */
export async function tokenReferencesOf(run: RunContext, data: TaskData): Promise<ReferenceResult[]> {
  if (data.heads[0]?.features !== 'causal') return [];
  const { tokenReferences } = await import('../measuring/token-references.ts');
  return tokenReferences(run, data);
}

/** Their table beside the models; nothing where there are none. */
export async function besideReferences(
  references: readonly ReferenceResult[],
  models: ComparedModels,
): Promise<Section> {
  if (references.length === 0) return [];
  const { referenceSection } = await import('../measuring/token-references.ts');
  return referenceSection(
    references,
    models.names.map((name) => ({
      title: shortName(name),
      metrics: models.measuringOf(name).values(),
    })),
  );
}

/** How language models go on from texts; nothing of others. */
export async function textsGoOn(run: RunContext, data: TaskData, models: ComparedModels): Promise<Section> {
  if (data.heads[0]?.features !== 'causal') return [];
  const { continuations } = await import('../measuring/continuations.ts');
  return continuations(run, data, models);
}

/** What the teacher's own texts were like, where it wrote some. */
export async function writtenTexts({ folder, recipe }: RunContext): Promise<Section> {
  const found = recipe.data.written && folder.finding<WrittenStatistics>('write');
  if (!found) return [];
  const { writtenSection } = await import('../writing/written-section.ts');
  return writtenSection(found);
}
