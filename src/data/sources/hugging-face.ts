import { z } from 'zod';
import { join } from '../../platform/paths.ts';
import { readSettingsText } from '../../settings-file.ts';
import { canonicalJson } from '../canonical-json.ts';
import { splitFiles } from '../hub/dataset-files.ts';
import type { DeclaredClasses } from '../sample.ts';
import { encodingOption } from '../text-files/encoding.ts';
import { infoClassNames, infoOf, readmeDatasetInfo } from './class-names.ts';
import { readCsv } from './csv.ts';
import { fieldOptions, tableFields } from './fields.ts';
import { declaredOf, type RowReader } from './files.ts';
import { readJsonl } from './jsonl.ts';
import { classNamesIn, readParquet } from './parquet.ts';
import { defineSource } from './source.ts';

const options = z
  .strictObject({
    dataset: z
      .string()
      .regex(/^[\w-][\w.-]*\/[\w-][\w.-]*$/, 'write it as owner/name')
      .describe('The name on the hub: owner/name.'),
    config: z.string().optional().describe('The configuration (subset), where there are several.'),
    revision: z.string().default('main').describe('A branch, tag or commit; a commit never changes.'),
    endpoint: z
      .url()
      .optional()
      .describe(
        'The hub; HF_ENDPOINT or https://huggingface.co when absent. HF_TOKEN goes to these two only.',
      ),
    ...fieldOptions,
    encoding: encodingOption,
  })
  .meta({
    title: 'Hugging Face data set',
    description:
      'A data set by name, of Parquet, JSONL, CSV or TSV files; downloaded once. HF_TOKEN is used if set.',
  });

/** The rows of a data set on the hub, in the splits that it comes with. */
export const huggingFace = defineSource({
  kind: 'hugging-face',
  options,
  async open({ dataset, config, revision, endpoint, ...rest }, context) {
    const { fetch, signal } = context;
    // What asks the hub is loaded by who wants it alone: pages are to be small.
    const { hubDataset } = await import('../hub/repository.ts');
    const fields = { ...tableFields(rest, context), encoding: rest.encoding };
    const repository = await hubDataset(dataset, revision, {
      ...(endpoint && { endpoint }),
      ...(fetch && { fetch }),
      ...(signal && { signal }),
    });
    const folder = join(
      context.cacheFolder,
      'hub',
      `datasets--${dataset.replace('/', '--')}`,
      repository.sha,
    );
    const readme = repository.files.find(({ path }) => path === 'README.md');
    const text = readme && readSettingsText(await repository.fetchFile(readme, folder));
    const files = splitFiles(repository.files, text, config, dataset);
    const infos =
      text === undefined || readmeDatasetInfo(text) === undefined
        ? repository.files.find(({ path }) => path === 'dataset_infos.json')
        : undefined;
    const info = infos
      ? infoOf(infos.path, readSettingsText(await repository.fetchFile(infos, folder)))
      : readmeDatasetInfo(text);
    const beside: Record<string, DeclaredClasses> = {};
    for (const { name } of fields.outputs) {
      const names = infoClassNames(info, name, config);
      if (names) beside[name] = { names, where: infos?.path ?? 'README.md' };
    }
    return {
      title: `${dataset}${config ? ` (${config})` : ''} at ${repository.sha.slice(0, 12)}`,
      fingerprint: async () =>
        canonicalJson({
          kind: 'hugging-face',
          dataset,
          config,
          sha: repository.sha,
          fields: rest,
          ...(context.columns && { columns: context.columns }),
        }),
      async *rows(rowsSignal) {
        for (const { file, split } of files) {
          const path = await repository.fetchFile(file, folder);
          const read: RowReader = (one) => {
            if (/\.parquet$/i.test(one.path)) return readParquet(one, fields, rowsSignal);
            if (/\.[ct]sv$/i.test(one.path)) return readCsv(one, fields, rowsSignal);
            return readJsonl(one, fields, rowsSignal);
          };
          // A split column, where one is named, says more than the file does.
          yield* read({
            path,
            name: file.path,
            ...(!fields.splitField && { split }),
          });
        }
      },
      async declares() {
        const parquet = files.filter((one) => /\.parquet$/i.test(one.file.path));
        const local = [];
        for (const { file } of parquet)
          local.push({ path: await repository.fetchFile(file, folder), name: file.path });
        return declaredOf(local, fields.outputs, classNamesIn, beside);
      },
    };
  },
});
