import '../src/base.css';
import './page.css';

import {render} from 'preact';

import {Page} from './page';

render(<Page />, document.getElementById('root')!);
