import {test_chain_page} from './lib/chain_page.mjs';

test_chain_page('embedded', ['--nodes', '2'], 1);
