import type { ReportData } from '../../report-data.ts';
import type { RunResult } from '../../result.ts';
import { html, type Markup } from '../markup.ts';

/** How to get these numbers again. */
export function repeatSection(
  data: Pick<ReportData, 'recipe'> & { readonly result: Pick<RunResult, 'command'> },
): Markup {
  return html`<section aria-labelledby="repeat">
<h2 id="repeat">Repeat it</h2>
<p class="about">The same command, recipe and seed on the same machine and engine give the same student, bit for bit.</p>
<div class="command"><pre tabindex="0"><code id="command">${data.result.command}</code></pre><button type="button" id="copy" hidden>Copy</button></div>
<details><summary>The resolved recipe</summary><pre tabindex="0"><code>${data.recipe}</code></pre></details>
</section>`;
}
