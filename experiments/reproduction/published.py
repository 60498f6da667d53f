"""Published numbers, beside which ours stand."""

# By data set and imbalance ratio: value, source, whether at the best epoch.
LDAM_TABLE = ("LDAM paper", True)
WB_TABLE = ("WB paper, table 2", True)
WB_LOG = ("WB release, log", False)
WB_NOTEBOOK = ("WB release, notebook", True)
ZOO = ("RIDE release, model zoo", False)
SADE = ("SADE's rerun of RIDE", False)
LEADERBOARD = ("leaderboard", True)
SSD_TABLE = ("WB paper, table 2", False)
C10, C100 = "cifar10_lt", "cifar100_lt"
PUBLISHED = {
    "ce": {
        (C100, 100): (38.32, *LDAM_TABLE),
        (C100, 50): (43.85, *WB_TABLE),
        (C100, 10): (55.71, *LDAM_TABLE),
        (C10, 10): (86.39, *LDAM_TABLE),
    },
    "ldam": {
        (C100, 100): (42.04, *WB_TABLE),
        (C100, 50): (46.62, *WB_TABLE),
        (C100, 10): (58.71, *WB_TABLE),
    },
    "wb-stage1": {
        (C100, 100): (46.76, *WB_LOG),
        (C100, 50): (52.71, *WB_TABLE),
        (C100, 10): (66.03, *WB_TABLE),
    },
    "wb-stage1-flip": {(C100, 100): (47.9, *WB_NOTEBOOK)},
    "wb-stage2": {
        (C100, 100): (51.83, *WB_LOG),
        (C100, 50): (57.71, *WB_TABLE),
        (C100, 10): (68.67, *WB_TABLE),
    },
    "wb-stage2-flip": {(C100, 100): (53.1, *WB_NOTEBOOK)},
    "wb-tau": {
        (C100, 100): (51.31, *WB_TABLE),
        (C100, 50): (57.65, *WB_TABLE),
        (C100, 10): (67.79, *WB_TABLE),
    },
    "wb-tau-flip": {(C100, 100): (52.6, *WB_NOTEBOOK)},
    "ride3": {
        (C100, 100): (48.0, *SADE),
        (C100, 50): (51.7, *SADE),
        (C100, 10): (61.8, *SADE),
    },
    "ride3-routed": {(C100, 100): (48.6, *ZOO)},
    "ride6": {(C100, 100): (50.2, *ZOO)},
    "ride3-distilled-routed": {(C100, 100): (49.0, *ZOO)},
    "ride4-distilled-routed": {(C100, 100): (49.4, *ZOO)},
    "reslt": {
        (C100, 100): (45.3, *LEADERBOARD),
        (C100, 10): (60.8, *LEADERBOARD),
        (C10, 10): (89.7, *LEADERBOARD),
    },
    "ssd-rescaled": {
        (C100, 100): (46.0, *SSD_TABLE),
        (C100, 50): (50.5, *SSD_TABLE),
        (C100, 10): (62.3, *SSD_TABLE),
    },
}
