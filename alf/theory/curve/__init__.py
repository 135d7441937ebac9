"""One curve l(u): its pieces, kinks, slopes and bends, certified at values or proved for ranges of hyperparameters."""
