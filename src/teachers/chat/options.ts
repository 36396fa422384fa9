import { z } from 'zod';
import { className } from '../../data/labels/class-name.ts';
import { atChanceOption } from '../teaching-options.ts';

/** Only names of variables: a key that is pasted here by mistake must not get into files. */
const keyVariable = z.string().regex(/^[A-Z_][A-Z0-9_]{0,127}$/, {
  error:
    'expected the NAME of an environment variable in capitals, like OPENAI_API_KEY, never the key itself',
});

const price = z.number().min(0).max(1e6);

/** Fields of a request that are not for a recipe to replace, and where each comes from: answers to another question would be paid and kept. */
const OWN_FIELDS: Readonly<Record<string, string>> = {
  messages: 'teacher.system and teacher.user',
  input: 'the samples',
  model: 'teacher.model',
  n: 'teacher.votes',
  stream: 'Limbeck, which reads whole answers',
};

const prices = z
  .strictObject({
    input: price.describe('For a million tokens that are sent.'),
    output: price.default(0).describe('For a million tokens that come back.'),
    currency: z
      .string()
      .regex(/^[A-Z]{3}$/, { error: 'expected three capitals, like USD' })
      .default('USD'),
  })
  .describe('What the endpoint takes, as its price list has it: `{ input: 0.15, output: 0.60 }`.');

const budget = z
  .strictObject({
    tokens: z.int().positive().optional().describe('Tokens, sent and received together.'),
    money: z.number().positive().optional().describe('In the currency of teacher.prices.'),
  })
  .describe(
    'What all of the answers may cost, over all runs that share the store. Before a request could go beyond it the run stops (exit code 4); with a larger budget the same command goes on.',
  );

const classNotes = z.record(className, z.string().min(1).max(2000));

export const chatOptions = z
  .object({
    baseURL: z
      .string()
      .min(1)
      .describe('Where the API is: `https://api.openai.com/v1`, `http://127.0.0.1:8080/v1`.'),
    model: z
      .string()
      .min(1)
      .max(256)
      .describe("The model's name there; best one with a date, which stays what it is."),
    key: z
      .union([keyVariable, z.literal(false)])
      .default('OPENAI_API_KEY')
      .describe(
        'The environment variable that holds the key; false for an endpoint that wants none. The key itself is never written anywhere.',
      ),
    answers: z
      .enum(['auto', 'logprobs', 'votes', 'hard'])
      .default('auto')
      .describe(
        'How one class becomes soft labels: logprobs reads the log-probabilities of the first token, votes asks several times and counts, hard asks once. auto: logprobs where the endpoint gives them, else votes. Of other outputs votes are averaged where votes are asked for, else one answer counts.',
      ),
    votes: z.int().min(2).max(64).default(5).describe('Answers to each sample, where votes are counted.'),
    samplingTemperature: z
      .number()
      .min(0)
      .max(2)
      .optional()
      .describe('Of the sampling; 1 for votes, else 0, when absent.'),
    smoothing: z
      .number()
      .min(0)
      .max(0.5)
      .default(0.05)
      .describe(
        'Of votes and hard answers: this part of the probability is spread over all classes alike (label smoothing), for no teacher is as sure as a count of answers.',
      ),
    labels: z
      .enum(['codes', 'names'])
      .default('codes')
      .describe(
        'What the model answers with: codes are letters, or numbers of one length from 27 classes on, one token each in most vocabularies; names are the class names, scored by the first token that tells them apart.',
      ),
    system: z
      .string()
      .min(1)
      .max(100_000)
      .optional()
      .describe(
        'The system message; `{classes}` stands for the list of classes. A plain one of ours when absent.',
      ),
    user: z
      .string()
      .min(1)
      .max(100_000)
      .refine((text) => text.includes('{text}'), { error: 'expected {text}, where the sample comes' })
      .default('{text}')
      .describe('The user message; `{text}` stands for the sample.'),
    task: z
      .string()
      .min(1)
      .max(20_000)
      .optional()
      .describe('A sentence or two on what is asked, put before our own system message.'),
    classNotes: classNotes
      .optional()
      .describe('What a class means, by its name; stands beside it in the list of classes.'),
    structured: z
      .enum(['auto', 'schema', 'prompt'])
      .default('auto')
      .describe(
        'How answers that are no single class are brought into form: by a JSON schema (response_format), or by the prompt alone; auto tries the schema once.',
      ),
    maxTokens: z.int().positive().max(100_000).optional().describe('The most tokens of an answer.'),
    parameters: z
      .record(z.string(), z.json())
      .superRefine((parameters, context) => {
        for (const name of Object.keys(parameters)) {
          if (!Object.hasOwn(OWN_FIELDS, name)) continue;
          const message = `a request's ${name} comes from ${OWN_FIELDS[name]}`;
          context.addIssue({ code: 'custom', path: [name], message });
        }
      })
      .default({})
      .describe(
        'More fields of each request, as the endpoint knows them: `{ reasoning_effort: minimal }`; null takes a field of ours away (`{ max_tokens: null, max_completion_tokens: 16 }`).',
      ),
    concurrency: z.int().positive().max(256).default(8).describe('Requests at the same time.'),
    requestsPerMinute: z
      .int()
      .positive()
      .max(1e6)
      .optional()
      .describe('At most; no limit of ours when absent.'),
    timeout: z.number().positive().max(3600).default(60).describe('Seconds that an answer may take.'),
    retries: z
      .int()
      .min(0)
      .max(100)
      .default(6)
      .describe('How often a request is tried again after 429, 5xx, a time-out or a lost connection.'),
    pause: z
      .number()
      .positive()
      .max(600)
      .default(1)
      .describe(
        'Seconds before the first new try; twice as long before each next one. Retry-After goes first.',
      ),
    batch: z.int().positive().max(2048).default(64).describe('Texts in one request for vectors.'),
    prices: prices.optional(),
    budget: budget.optional(),
    check: z
      .int()
      .min(0)
      .max(100_000)
      .default(100)
      .describe(
        'Labelled validation samples on which the teacher is measured before it labels; they are paid, and their answers are kept. 0 for none.',
      ),
    compare: z
      .boolean()
      .default(true)
      .describe('Whether it is asked about the test samples too, to compare the student with it.'),
    maxUnanswered: z
      .number()
      .min(0)
      .max(1)
      .default(0.2)
      .describe(
        'The part of the samples that may go unanswered (refused, cut, outside the list) before the run stops.',
      ),
    onModelChange: z
      .enum(['stop', 'warn'])
      .default('stop')
      .describe('What to do when answers begin to come from a model of another name.'),
    atChance: atChanceOption,
  })
  .describe(
    'A hosted model behind an API that speaks as OpenAI does (chat completions, embeddings). The texts of the samples are sent there.',
  );

/** What a recipe says of a hosted teacher, with every default filled in. */
export type ChatChoice = { readonly kind: 'chat' } & z.output<typeof chatOptions>;
