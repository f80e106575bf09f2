import {test_chain_page} from './lib/chain_page.mjs';

test_chain_page('comet', ['--engine', 'comet', '--validators', '4', '--nodes', '2'], 4);
