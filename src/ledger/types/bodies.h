// Bodies of all transactions, one a kind. Who may send one and what it is refused for:
// ledger/state.
#pragma once

#include "ledger/types/checks.h"
#include "ledger/types/governance.h"
#include "ledger/types/instance_bodies.h"
#include "ledger/types/jobs.h"
#include "ledger/types/model_bodies.h"
#include "ledger/types/operator_bodies.h"
#include "ledger/types/session_bodies.h"
#include "ledger/types/validator.h"
