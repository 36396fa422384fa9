import { GRAPH_SCRIPT } from './graph-script.ts';

/** The page's one script: the copy button, open details on paper, the knowledge graph. The page is whole without it. */
export const SCRIPT = `
const button = document.getElementById('copy');
const command = document.getElementById('command');
if (button) button.hidden = false;
button?.addEventListener('click', async () => {
  try {
    await navigator.clipboard.writeText(command.textContent);
    button.textContent = 'Copied';
  } catch {
    getSelection().selectAllChildren(command);
    button.textContent = 'Selected';
  }
  setTimeout(() => { button.textContent = 'Copy'; }, 2000);
});
addEventListener('beforeprint', () => {
  for (const details of document.querySelectorAll('details')) details.open = true;
});
${GRAPH_SCRIPT}`;
