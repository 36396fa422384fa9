import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { expect, it } from 'vitest';
import { temporaryFolders } from '../../data/testing/temporary-folder.ts';
import { parseRecipe } from '../../recipe/parse.ts';
import { draftRecipe } from './draft.ts';
import { type Proposal, proposeSource } from './propose.ts';

const newFolder = temporaryFolders();

function drafted({ source, task, set }: Proposal) {
  const answers = {
    name: 'mine',
    source,
    task,
    teacher: undefined,
    student: 'resnet',
    labelsPerClass: 'all' as const,
    set,
  };
  return parseRecipe(draftRecipe(answers, 's.json'));
}

it('a file as COCO has it proposes a recipe for boxes', async () => {
  const path = join(await newFolder(), 'a.json');
  const images = [320, 100, 480].map((width, id) => ({ id, file_name: `${id}.jpg`, width, height: 240 }));
  await writeFile(path, JSON.stringify({ images, annotations: [{}], categories: [{ id: 1, name: 'dog' }] }));
  const proposal = await proposeSource(path, 'a.json');
  expect(proposal.seen[0]).toBe('images with boxes, as COCO lists them: 3 images, 1 boxes');
  expect(drafted(proposal)).toMatchObject({
    task: 'object-detection',
    data: { source: { kind: 'coco', annotations: 'a.json' } },
    inputs: { image: { size: 224, fit: 'stretch' } },
  });
});

it('a table with corners of boxes proposes one, too', async () => {
  const folder = await newFolder();
  const background = { r: 1, g: 2, b: 3 };
  for (const name of ['a.png', 'b.png'])
    await sharp({ create: { width: 100, height: 80, channels: 3, background } })
      .png()
      .toFile(join(folder, name));
  const lines = [
    'file,xmin,ymin,xmax,ymax,label',
    'a.png,1,2,30,40,dog',
    'a.png,5,6,9,9,cat',
    'b.png,1,1,5,5,dog',
  ];
  await writeFile(join(folder, 'boxes.csv'), `${lines.join('\n')}\n`);
  const proposal = await proposeSource(join(folder, 'boxes.csv'), 'boxes.csv');
  expect(drafted(proposal)).toMatchObject({
    task: 'object-detection',
    data: { source: { kind: 'box-table', path: 'boxes.csv', imageField: 'file', labelField: 'label' } },
    inputs: { image: { size: 64, fit: 'stretch' } },
  });
});
