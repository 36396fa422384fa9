import type { LimbeckApi } from '../run/api.ts';

/**
 * What the commands call, loaded when it is called: a command that looks into a file does not wait for all that a training needs.
 * The same functions as src/index.ts has.
 */
export const LATE_API: LimbeckApi = {
  distill: async (...given) => (await import('../run/distill.ts')).distill(...given),
  train: async (...given) => (await import('../run/train.ts')).train(...given),
  continual: async (...given) => (await import('../run/continual.ts')).continual(...given),
  label: async (...given) => (await import('../run/label.ts')).label(...given),
  plan: async (...given) => (await import('../run/plan.ts')).plan(...given),
  check: async (...given) => (await import('../run/check.ts')).check(...given),
  examineRecipe: async (...given) => (await import('../run/examine.ts')).examineRecipe(...given),
  evaluate: async (...given) => (await import('../run/evaluate.ts')).evaluate(...given),
  differentiate: async (...given) => (await import('../run/differentiate.ts')).differentiate(...given),
  inspectModel: async (...given) => (await import('../run/inspect-model.ts')).inspectModel(...given),
  measureModel: async (...given) => (await import('../run/measure-model.ts')).measureModel(...given),
  exportStudent: async (...given) => (await import('../run/export-student.ts')).exportStudent(...given),
  openTextGenerator: async (...given) =>
    (await import('../run/open-text-generator.ts')).openTextGenerator(...given),
  askQuestions: async (...given) => (await import('../run/ask-questions.ts')).askQuestions(...given),
  compile: async (...given) => (await import('../run/compile.ts')).compile(...given),
  writeReport: async (...given) => (await import('../run/write-report.ts')).writeReport(...given),
  usePlugin: async (...given) => (await import('../run/plugin.ts')).usePlugin(...given),
  KnowledgeStore: {
    open: async (...given) => (await import('../knowledge/store.ts')).KnowledgeStore.open(...given),
  },
};
