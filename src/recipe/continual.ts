import { z } from 'zod';
import { noneTwice } from '../none-twice.ts';
import { switchable } from './switched-off.ts';

/** The strategies that a continual recipe compares. */
export const CONTINUAL_METHODS = ['naive', 'self', 'ewc', 'replay', 'teacher', 'all', 'joint'] as const;
export type ContinualMethod = (typeof CONTINUAL_METHODS)[number];

/** Lifelong learning: a sequence of tasks, and what is done against forgetting the earlier ones. */
export const continualSchema = switchable(
  z.strictObject({
    tasks: z
      .union([
        z.int().min(2).max(1000),
        z
          .array(z.array(z.string().min(1)).min(1))
          .min(2)
          .superRefine((tasks, context) => {
            const taskOf = new Map<string, number>();
            for (const [task, classes] of tasks.entries()) {
              for (const [i, name] of classes.entries()) {
                const first = taskOf.get(name);
                taskOf.set(name, first ?? task);
                if (first === undefined) continue;
                const where =
                  first === task ? `twice in task ${task + 1}` : `in tasks ${first + 1} and ${task + 1}`;
                const message = `the class '${name}' is ${where}: each class is learnt in one task`;
                context.addIssue({ code: 'custom', path: [task, i], message });
              }
            }
          }),
      ])
      .default(5)
      .describe(
        'The tasks, one after another: a number of groups into which the classes are divided in their order, or the names of the classes of each.',
      ),
    setting: z
      .enum(['class-incremental', 'task-incremental'])
      .default('class-incremental')
      .describe(
        'Whether an answer is sought among all classes that were taught so far, or among those of the task that the sample is of (which is easier: the task is told).',
      ),
    methods: z
      .array(z.enum(CONTINUAL_METHODS))
      .min(1)
      .superRefine(noneTwice('the method'))
      .optional()
      .describe(
        'What is compared: naive (fine-tuning), self (distillation from its own past), ewc, replay, teacher, all (everything but joint), joint (all tasks at once: the upper bound). All that the recipe has the parts for, when absent.',
      ),
    epochs: z.int().positive().default(10).describe('Passes over the labelled samples of each task.'),
    self: z
      .strictObject({
        weight: z.number().min(0).max(1000).default(1),
        temperature: z.number().min(0.1).max(100).default(2),
      })
      .prefault({})
      .describe(
        'Distillation from the student of the task before, on the new samples, over the classes of earlier tasks (Li and Hoiem, 2016).',
      ),
    ewc: z
      .strictObject({
        lambda: z.number().min(0).max(1e9).default(100).describe('The weight of the penalty.'),
        samples: z
          .int()
          .positive()
          .default(200)
          .describe('Samples of a task on which the importance of the parameters is measured.'),
      })
      .prefault({})
      .describe('Elastic weight consolidation (Kirkpatrick et al., 2017).'),
    replay: z
      .strictObject({
        memory: z.int().positive().default(200).describe('Samples that are kept, of all tasks together.'),
        batch: z
          .int()
          .positive()
          .max(65_536)
          .optional()
          .describe('Kept samples beside every batch of new ones; as many as new ones, when absent.'),
        labels: z
          .number()
          .min(0)
          .max(1000)
          .default(1)
          .describe('The weight of the cross-entropy with their labels.'),
        logits: z
          .number()
          .min(0)
          .max(1000)
          .default(0.5)
          .describe("The weight of the squared difference to the past student's logits."),
      })
      .prefault({})
      .describe(
        'A reservoir of samples with the answers of the student of their time (Buzzega et al., 2020).',
      ),
    teacher: z
      .strictObject({
        weight: z.number().min(0).max(1000).default(1),
        temperature: z.number().min(0.1).max(100).default(2),
      })
      .prefault({})
      .describe("Distillation from the recipe's teacher, over all classes taught so far."),
  }),
).describe('A sequence of tasks that are learnt one after another: for `limbeck continual`.');

/** What stands under `continual` in a recipe, with every default filled in. */
export type ContinualOptions = NonNullable<z.output<typeof continualSchema>>;
