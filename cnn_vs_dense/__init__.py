"""How much do convolutional networks depend on the arrangement of the pixels?"""
