import { writeFile } from 'node:fs/promises';
import { recipeJsonSchema } from '../src/recipe/schema.ts';

// `npm run schema`: writes the JSON schema that editors complete recipes with. A test holds that it is up to date.
const target = new URL('../recipe.schema.json', import.meta.url);
await writeFile(target, `${JSON.stringify(recipeJsonSchema(), null, 2)}\n`);
console.log(`wrote ${target.pathname}`);
