import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { askQuestions, type QuestionsResult } from '../src/index.ts';

/** Nouns that no model has read: as many questions of a kind as the test split gives, at most. */
const COUNT = 3000;
export const KINDS = ['definitions', 'hypernyms', 'examples'] as const;

/** What a language model answers, by kind of question. Kept beside its run, as the run itself is. */
export async function askedQuestions(
  run: string,
  model: 'student' | 'baseline' | 'teacher' = 'student',
): Promise<Readonly<Record<string, QuestionsResult>>> {
  const kept = join(run, `asked-${model}.json`);
  if (existsSync(kept)) return JSON.parse(readFileSync(kept, 'utf8')) as Record<string, QuestionsResult>;
  const file = model === 'student' ? {} : { model: `../${model}/model.onnx` };
  const asked: Record<string, QuestionsResult> = {};
  for (const questions of KINDS)
    asked[questions] = await askQuestions(run, { questions, count: COUNT, ...file });
  writeFileSync(kept, JSON.stringify(asked));
  return asked;
}
